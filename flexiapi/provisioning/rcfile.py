"""liblinphone's rc files: `[section]` headers and `key=value` lines."""

from pathlib import Path

from flexiapi.errors import ProvisioningFailed
from flexiapi.observing import log
from flexiapi.provisioning.document import Entry, Section

_QUOTED_LENGTH = 2


class MalformedRcFile(ValueError):
    """A line that is neither header, `key=value`, comment nor empty; the message names it."""


def parse(text: str) -> list[Section]:
    """Parse an rc file. Raises `MalformedRcFile`.

    A value is everything after the first `=`, except for one pair of double quotes around it. `#` and `;` start a
    comment only at the start of a line. A repeated section continues the first of its name; a repeated key replaces the
    earlier value.
    """
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        if content[0] == "[":
            current = sections.setdefault(_header(content, number), {})
        elif current is None:
            raise MalformedRcFile(f"line {number} stands before the first [section]")
        else:
            key, value = _pair(line, number)
            current[key] = value
    return [Section(name, [Entry(*pair) for pair in pairs.items()]) for name, pairs in sections.items()]


def _header(content: str, number: int) -> str:
    name, bracket, rest = content[1:].partition("]")
    if not bracket or not name.strip() or (rest and rest.lstrip()[0] not in "#;"):
        raise MalformedRcFile(f"line {number} is no [section]")
    return name.strip()


def _pair(line: str, number: int) -> tuple[str, str]:
    key, equals, value = line.removesuffix("\r").partition("=")
    if not equals or not key.strip():
        raise MalformedRcFile(f"line {number} is neither key=value nor [section]")
    return key.strip(), _unquoted(value)


def _unquoted(value: str) -> str:
    """Remove the double quotes that INI writers put around values with special characters."""
    inner = value.strip()
    if len(inner) >= _QUOTED_LENGTH and inner[0] == inner[-1] == '"' and '"' not in inner[1:-1]:
        return inner[1:-1]
    return value


class RcFile:
    """A base configuration file, read again whenever it changes. A missing path or file has no sections."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._sections: tuple[Section, ...] | None = ()

    def sections(self) -> tuple[Section, ...]:
        """Return the sections, the same object while the file is unchanged. Treat them as constant.

        Raises `ProvisioningFailed` if the file cannot be read or is malformed (logged once per change).
        """
        if self._path is not None:
            seen = _signature(self._path)
            if seen != self._seen:
                self._sections = _read(self._path)
                self._seen = seen
        if self._sections is None:
            raise ProvisioningFailed
        return self._sections


def _signature(path: Path) -> tuple[int, ...]:
    """Return a value that changes with the file; the change time covers permissions."""
    try:
        status = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _read(path: Path) -> tuple[Section, ...] | None:
    """Return the sections, an empty tuple for no file, or `None` for a file that cannot be used."""
    try:
        return tuple(parse(path.read_bytes().decode()))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        log.error("the base provisioning file cannot be used", path=str(path), reason=reason)
        return None
