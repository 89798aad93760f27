"""The browser of a session in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

# In this order: most browsers also give the names of others.
_BROWSERS = (
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/", "OPT/")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Vivaldi", ("Vivaldi/",)),
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Chromium", ("Chromium/",)),
    ("Chrome", ("Chrome/", "CriOS/")),
    ("Safari", ("Safari/",)),
)
_SYSTEMS = (
    ("iPad", ("iPad",)),
    ("iPhone", ("iPhone",)),
    ("Android", ("Android",)),
    ("ChromeOS", ("CrOS",)),
    ("Windows", ("Windows",)),
    ("macOS", ("Macintosh", "Mac OS X")),
    ("Linux", ("Linux", "X11")),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser and its system by their usual names; `None` for what is not known."""

    name: str | None = None
    system: str | None = None

    @classmethod
    def of(cls, user_agent: str) -> Self:
        """Return the browser that a `User-Agent` header tells of. Its own text never appears."""
        return cls(_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))


def _first(known: Sequence[tuple[str, Sequence[str]]], text: str) -> str | None:
    return next((name for name, marks in known if any(mark in text for mark in marks)), None)
