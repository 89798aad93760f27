"""The report of `flexiapi sip doctor` about a `flexisip.conf`."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.conf_doctor import Examination, Grade, examine
from flexiapi.flexisip.releases import Release
from flexiapi.settings import Settings


def examined(file: Path, settings: Settings, release: Release | None) -> Examination:
    """Examine a file. Raises `ConfigurationError` if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    return examine(text, settings, release)


def report(found: Examination, *, as_json: bool) -> None:
    """Print the calls and the findings, for people or as one JSON object a line."""
    for line in _as_json(found) if as_json else _as_text(found):
        click.echo(line)


def _as_text(found: Examination) -> Iterator[str]:
    yield f"Flexisip {found.release} makes these calls:"
    for call, where in found.calls:
        yield f"{'on ' if where else 'off'} {call.name:20} {where}".rstrip()
    if not found.calls:
        yield "none: 2.3 is the first version with calls"
    for finding in found.findings:
        place = "" if finding.line is None else f"line {finding.line}"
        yield f"{finding.grade.upper():8} {place:10} {finding.text}"
    counts = [(grade, sum(finding.grade is grade for finding in found.findings)) for grade in Grade]
    yield ", ".join(f"{count} {grade}{'' if count == 1 else 's'}" for grade, count in counts) + "."


def _as_json(found: Examination) -> Iterator[str]:
    for call, where in found.calls:
        yield json.dumps({"call": call.name, "release": str(found.release), "url": where or None})
    for finding in found.findings:
        yield json.dumps({"grade": finding.grade, "line": finding.line, "text": finding.text})
