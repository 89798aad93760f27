"""Files outside the package: shared templates and configuration, and the data folder (`data.path`)."""

import contextlib
import errno
import os
import pwd
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flexiapi.errors import ConfigurationError

_NOT_ALLOWED = (errno.EACCES, errno.EPERM)


@contextlib.contextmanager
def in_data_path(path: Path, done: str = "written") -> Iterator[None]:
    """Translate every `OSError` in the block, which uses `path`, into a `ConfigurationError` that says what to do."""
    try:
        yield
    except OSError as error:
        # `mkdir` reports a file in place of a folder as existing.
        number = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or errno.EIO
        advice = _way_in(path) if number in _NOT_ALLOWED else "Name a folder that this user can write."
        text = f"data.path (DATA_PATH): {path} cannot be {done}: {os.strerror(number)}. {advice}"
        raise ConfigurationError(text) from error


def _way_in(path: Path) -> str:
    """Return the advice to a user who may not use a path: who it belongs to."""
    try:
        there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
        owner = _name(there.stat().st_uid)
    except OSError:
        return "Run this as the server's user."
    user = _name(os.geteuid())
    return f"{there} belongs to the user {owner}, and this runs as {user}: run it as {owner}, or `chown` it to {user}."


def check_data_path(folder: Path) -> None:
    """Raise `ConfigurationError` unless the folder can be written or created. Leave nothing behind."""
    refuse_foreign_owner(folder)
    with in_data_path(folder):
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".flexiapi-", dir=there):
            pass


def refuse_foreign_owner(folder: Path) -> None:
    """Raise `ConfigurationError` if root would write into another user's folder.

    Files of root would keep that user's server from starting again.
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


def shared(folder: str) -> Path:
    """Return the folder `templates` or `config` of the checkout, or of the installation outside of a checkout."""
    checkout = Path(__file__).resolve().parent.parent / folder
    if checkout.is_dir():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "flexiapi" / folder
