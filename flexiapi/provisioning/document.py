"""A provisioning document as sections and entries, and its XML.

A client applies entries in document order: it sets a key that it does not have, or any key if the entry says
`overwrite`. Hence for one key the first value wins, and later ones only with `overwrite`. `Section.merge` keeps that.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://www.linphone.org/xsds/lpconfig.xsd"

HEAD = f'<config xmlns="{NAMESPACE}">'
TAIL = "</config>"

_NOT_PLAIN = re.compile(r"[^ !#-%'-;=?-~]")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Entry(NamedTuple):
    """A key of a section and its value. `overwrite` replaces a value that the client already has."""

    name: str
    value: str
    overwrite: bool = False


@dataclass(slots=True)
class Section:
    """A named list of entries, in the order in which clients read them."""

    name: str
    entries: list[Entry] = field(default_factory=list)

    def add(self, name: str, value: str, *, overwrite: bool = False) -> None:
        """Append an entry. Raises `TypeError` for a value that is not a string."""
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"entry {name!r} of section {self.name!r} needs a text, not {type(value).__name__}")
        self.entries.append(Entry(name, value, overwrite))

    def get(self, name: str) -> str | None:
        """Return the value that a client without a configuration of its own would end up with."""
        return next((entry.value for entry in _effective(self.entries) if entry.name == name), None)

    def merge(self, later: Iterable[Entry]) -> None:
        """Merge entries that come later in the document, each key once, with the outcome for clients unchanged."""
        self.entries = _effective([*self.entries, *later])


@dataclass(slots=True)
class Document:
    """The sections of one provisioning answer, in document order; several may have the same name."""

    sections: list[Section] = field(default_factory=list)

    def add(self, name: str) -> Section:
        """Append a new section, even when another has this name."""
        section = Section(name)
        self.sections.append(section)
        return section

    def section(self, name: str) -> Section | None:
        """Return the first section of this name."""
        return next((section for section in self.sections if section.name == name), None)

    def xml(self) -> bytes:
        """Return the document in UTF-8, without XML declaration."""
        return encoded([HEAD, *map(section_xml, self.sections), TAIL])


def encoded(parts: Iterable[str]) -> bytes:
    """Encode the parts of a document."""
    return "".join(parts).encode()


def section_xml(section: Section) -> str:
    """Return a section element."""
    parts = [f"<section name={_attribute(section.name)}>"]
    for name, value, overwrite in section.entries:
        mark = ' overwrite="true"' if overwrite else ""
        parts.append(f"<entry name={_attribute(name)}{mark}>{_text(value)}</entry>")
    parts.append("</section>")
    return "".join(parts)


def overwriting(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries, all marked to overwrite."""
    return [Entry(name, value, overwrite=True) for name, value, _ in entries]


def _effective(entries: Iterable[Entry]) -> list[Entry]:
    kept: dict[str, Entry] = {}
    for entry in entries:
        if entry.overwrite or entry.name not in kept:
            kept[entry.name] = entry
    return list(kept.values())


def _text(value: str) -> str:
    if _NOT_PLAIN.search(value) is None:
        return value
    # A parser would turn a bare carriage return into a line feed.
    return escape(_ILLEGAL.sub("", value), {"\r": "&#13;"})


def _attribute(value: str) -> str:
    if _NOT_PLAIN.search(value) is None:
        return f'"{value}"'
    return quoteattr(_ILLEGAL.sub("", value))
