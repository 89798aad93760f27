"""Files of secrets that other users of the host can read."""

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flexiapi.server.application_key import key_file
from flexiapi.settings import Settings

_SECRET = re.compile(r"(^|_)(key|keys|password|secret|token)$")
_SECRET_FILE = re.compile(r"(^|_)(key|certificate|account)_file$")
_WITH_PASSWORD = re.compile(r"\w+://[^/@\s]*:[^/@\s]+@")


def readable_by_others(settings: Settings, source: Path | None) -> Iterator[Path]:
    """Yield the files of secrets of an installation that anybody on the host can read.

    `source` is the settings file, which counts if it holds a secret.
    """
    data = settings.data.path
    found = [key_file(settings), data / "outbox.jsonl"]
    found += [file for file in (settings.flexisip.auth_replica, settings.server.key) if file is not None]
    if source is not None and _is_readable(source):
        tables = tomllib.loads(source.read_text("utf-8"))
        # The only key that is a path.
        tables.get("server", {}).pop("key", None)
        found += [source] if any(_holds_secret(name, value) for name, value in _values(tables)) else []
        found += [data / value for name, value in _values(tables) if _SECRET_FILE.search(name) and value]
    yield from filter(_is_readable, dict.fromkeys(found))


def _values(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a table and of those in it, with their names."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _values(value)
        else:
            yield from ((name, item) for item in (value if isinstance(value, list) else [value]) if _is_text(item))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _holds_secret(name: str, value: str) -> bool:
    return _SECRET.search(name) is not None or _WITH_PASSWORD.match(value) is not None


def _is_readable(file: Path) -> bool:
    """Return whether others may read a file and enter every folder above it."""
    try:
        resolved = file.resolve(strict=True)
        folders = [folder.stat().st_mode for folder in resolved.parents]
        return bool(resolved.stat().st_mode & stat.S_IROTH) and all(mode & stat.S_IXOTH for mode in folders)
    except OSError:
        return False
