"""Language tags (BCP 47), and those that a request prefers (RFC 9110, section 12.5.4)."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

ANY = "*"
"""In a list of preferences: any language, so that of the service."""

LONGEST = 35
PATTERN = "[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"

_TAG = re.compile(PATTERN)
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
_LONGEST_HEADER = 400
_SCRIPT, _REGION = 4, 2


def is_tag(text: str) -> bool:
    """Return whether a text has the form of a language tag."""
    return len(text) <= LONGEST and _TAG.fullmatch(text) is not None


def spelt(tag: str) -> str:
    """Return a tag in its usual spelling: `pt-BR`, `zh-Hans`."""
    language, *others = tag.lower().split("-")
    return "-".join([language, *map(_subtag, others)])


def _subtag(text: str) -> str:
    if len(text) == _REGION:
        return text.upper()
    return text.title() if len(text) == _SCRIPT and text.isalpha() else text


def chain(tag: str) -> list[str]:
    """Return a tag and its shorter forms: `zh-Hant-TW`, `zh-Hant`, `zh`."""
    parts = tag.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def accepted(header: str) -> tuple[str, ...]:
    """Return the languages of an `Accept-Language` header, the most wanted first; what is malformed is left out."""
    # Only the part that counts is remembered.
    return _accepted(header[:_LONGEST_HEADER])


@lru_cache(maxsize=1024)
def _accepted(header: str) -> tuple[str, ...]:
    ranges = sorted(_ranges(header), key=lambda one: -one[1])
    return tuple(dict.fromkeys(tag for tag, weight in ranges if weight))


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for item in header.split(","):
        name, _, parameter = (part.strip() for part in item.partition(";"))
        weight = _WEIGHT.fullmatch(parameter) if parameter else None
        if (name == ANY or is_tag(name)) and (weight is not None or not parameter):
            yield name if name == ANY else spelt(name), float(weight[1]) if weight else 1.0


def matched(wanted: Iterable[str], available: Iterable[str]) -> str | None:
    """Return the available language that fits best: the first that is wanted, a shorter or else a longer form of it.

    `ANY` ends the search, as the last wish: whatever is usual serves it.
    """
    known = {tag.lower(): tag for tag in sorted(available)}
    for tag in wanted:
        if tag == ANY:
            return None
        for one in chain(tag.lower()):
            if one in known:
                return known[one]
        longer = next((one for name, one in known.items() if name.startswith(f"{tag.lower()}-")), None)
        if longer is not None:
            return longer
    return None
