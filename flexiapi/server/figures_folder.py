"""The folder through which the processes of a server share their metrics."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import multiprocess

from flexiapi.errors import ConfigurationError
from flexiapi.store.folder_lock import try_lock

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "flexiapi-figures-"
_LOCK = "lock"


@contextlib.contextmanager
def figures_folder() -> Iterator[dict[str, str]]:
    """Make the folder, and yield the variable that names it. Remove it at the end, and those of killed servers now.

    Raises `ConfigurationError` if it cannot be made.
    """
    parent = Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"No folder for the figures can be made in {parent}: {error.strerror}. Free space there, or set TMPDIR."
        ) from error
    # The kernel gives the lock back when the process ends for any reason.
    try_lock(lock)
    try:
        yield {_VARIABLE: str(folder)}
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(figures: Mapping[str, str], pid: int) -> None:
    """Remove the figures of a process that has ended which are about the present, such as its connections."""
    multiprocess.mark_process_dead(pid, figures[_VARIABLE])  # type: ignore[no-untyped-call]  # the library has no types here


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of servers of this user that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if try_lock(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
