"""The components that the program is made of, as their distributions describe them."""

import re
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST = 60


@cache
def components() -> tuple[tuple[str, str, str], ...]:
    """Return name, version and licence of what flexiapi needs, by name."""
    try:
        needed = requires("flexiapi") or []
    except PackageNotFoundError:
        return ()
    names = {match[0] for text in needed if "extra ==" not in text and (match := _NAME.match(text)) is not None}
    return tuple(found for name in sorted(names, key=str.lower) if (found := _described(name)) is not None)


def _described(name: str) -> tuple[str, str, str] | None:
    try:
        known = distribution(name)
    except PackageNotFoundError:
        return None
    return name, known.version, _licence(known)


def _licence(known: Distribution) -> str:
    """Return the licence as an expression, or else the last part of its classifier."""
    metadata = known.metadata
    text = metadata["License-Expression"] or metadata["License"] or ""
    if text and "\n" not in text and len(text) <= _LONGEST:
        return text
    classifiers = [line for line in metadata.get_all("Classifier", []) if line.startswith("License ::")]
    return classifiers[0].rpartition(":: ")[2] if classifiers else ""
