"""Files below `data.path`: what the operating system refuses there, told in one sentence."""

import contextlib
import errno
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flexiapi.errors import ConfigurationError

_NOT_ALLOWED = (errno.EACCES, errno.EPERM)


@contextlib.contextmanager
def using(path: Path, done: str = "written") -> Iterator[None]:
    """Around what reads or writes a path of the data folder. Raises `ConfigurationError` for every `OSError`."""
    try:
        yield
    except OSError as error:
        # Of a file that stands where a folder should be, `mkdir` says that it exists.
        number = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or errno.EIO
        advice = (
            "Run this as the server's user." if number in _NOT_ALLOWED else "Name a folder that this user can write."
        )
        text = f"data.path (DATA_PATH): {path} cannot be {done}: {os.strerror(number)}. {advice}"
        raise ConfigurationError(text) from error


def probe(folder: Path) -> None:
    """Whether the folder could be written or made; nothing is left of the trial. Raises `ConfigurationError`."""
    spare(folder)
    with using(folder):
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".flexiapi-", dir=there):
            pass


def spare(folder: Path) -> None:
    """Keep root from leaving files in a folder of another user, who could not read them. Raises `ConfigurationError`.

    For a command that an administrator runs as root would keep the server from starting again.
    """
    if os.geteuid() != 0 or not folder.exists() or (owner := folder.stat().st_uid) == 0:
        return
    raise ConfigurationError(
        f"data.path (DATA_PATH): {folder} belongs to the user {_name(owner)}, who could not read what root leaves "
        "there. Run this as that user."
    )


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
