"""Reader of `flexisip.conf`, as Flexisip reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_LONGEST_VALUE = 20_480
"""Bytes of a value that Flexisip reads."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A line `key=value` of a section; `line` counts from 1."""

    section: str
    key: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that Flexisip refuses, or reads otherwise than it looks."""

    line: int
    text: str


@dataclass(slots=True)
class ConfFile:
    """The lines of a file that have an effect, and the faults among the rest."""

    settings: dict[tuple[str, str], Setting] = field(default_factory=dict)
    sections: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def value(self, section: str, key: str, default: str = "") -> str:
        """Return a value, or the default that Flexisip uses in its place."""
        entry = self.settings.get((section, key))
        return default if entry is None else entry.value

    def is_on(self, section: str, key: str, default: str = "false") -> bool:
        """Tell whether a switch is on; Flexisip takes `true` and `1`."""
        return self.value(section, key, default) in ("true", "1")

    def line(self, section: str, key: str) -> int | None:
        """Return the line of a setting, or of its section, or `None`."""
        entry = self.settings.get((section, key))
        return self.sections.get(section) if entry is None else entry.line


def read_conf(text: str) -> ConfFile:
    """Read the text of a `flexisip.conf`. Lines that begin with `#` are comments; a repeated section goes on."""
    file, section = ConfFile(), ""
    for number, line in _lines(text):
        if line.startswith("["):
            name, bracket, _ = line[1:].partition("]")
            if not bracket or not name.strip():
                file.faults.append(Fault(number, f"{line} has no closing bracket"))
                continue
            section = name.split()[0]
            file.sections.setdefault(section, number)
        elif "=" not in line:
            file.faults.append(Fault(number, "this line is neither a section, a setting nor a comment"))
        else:
            _add(file, section, line, number)
    return file


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _add(file: ConfFile, section: str, line: str, number: int) -> None:
    key, _, value = line.partition("=")
    entry = Setting(section, key.strip(), value.strip(), number)
    former = file.settings.get((section, entry.key))
    if not section:
        file.faults.append(Fault(number, f"{entry.key} stands before the first section"))
    elif former is not None:
        text = f"[{section}] {entry.key} is there a second time, after line {former.line}: Flexisip does not start"
        file.faults.append(Fault(number, text))
    else:
        file.settings[section, entry.key] = entry
    if len(entry.value.encode()) > _LONGEST_VALUE:
        file.faults.append(Fault(number, f"[{section}] {entry.key} is longer than Flexisip reads"))
