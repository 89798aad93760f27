"""Releases of Flexisip, and the table of them in the guide."""

from pathlib import Path

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.releases import CALLS, RELEASES, Release, release_of

GUIDE = Path(__file__).parents[2] / "docs" / "flexisip.md"


@pytest.mark.parametrize("text", ["2.6", "2.6.0", "v2.6.1", "2.6.0-beta", "2.6.1 (abc)"])
def test_a_release_has_two_numbers(text):
    assert release_of(text) == Release(2, 6)


@pytest.mark.parametrize("text", ["", "two", "2", "2.6x", "2..6", "2.6\n2.7"])
def test_what_is_not_a_release_is_refused_with_examples(text):
    with pytest.raises(ConfigurationError, match=r"name one such as 2\.2, 2\.3"):
        release_of(text)


def test_a_call_is_switched_on_as_its_release_does_it():
    event_log, domains, *later = CALLS
    assert event_log.switches_of(Release(2, 2)) == ()
    assert "event-logs/flexiapi-token" in event_log.switches_of(Release(2, 3))
    assert "event-logs/flexiapi-api-key" in event_log.switches_of(Release(2, 5))
    assert domains.switches_of(Release(2, 4)) == ()
    assert [call.since for call in later] == [Release(2, 6)] * 3


def shown(switch):
    """Return `section/key` as it stands in the file, `[section] key`."""
    section, _, key = switch.partition("/")
    return f"`[{section}] {key}`"


def table():
    """Return the table of the guide in Markdown: what each call needs from which release on."""
    lines = ["| call | from | `flexisip.conf` |", "|---|---|---|"]
    for call in CALLS:
        for place, (since, switches) in enumerate(call.switches):
            name = f"**{call.name}**: `{call.requests}`" if place == 0 else ""
            lines.append(f"| {name} | {since} | {', '.join(map(shown, switches))} |")
    return "\n".join(lines)


def matrix():
    """Return the table of the guide in Markdown: the releases that make each call."""
    lines = ["| Flexisip | " + " | ".join(call.name for call in CALLS) + " |", "|---|" + "---|" * len(CALLS)]
    lines += [
        f"| {release} | " + " | ".join("yes" if call.switches_of(release) else "" for call in CALLS) + " |"
        for release in RELEASES
    ]
    return "\n".join(lines)


def test_the_tables_of_the_guide_are_those_of_the_command():
    assert table() in GUIDE.read_text()
    assert matrix() in GUIDE.read_text()
