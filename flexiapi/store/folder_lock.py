"""Lock of a data folder, so that one process runs the embedded mongod in it."""

import fcntl
import os
import time
from pathlib import Path

from flexiapi import files

_SERVER = b"server "
_POLL_SECONDS = 0.1


class FolderLock:
    """An exclusive `flock(2)` on a file, which the kernel releases when the process ends.

    The holder can mark itself as a server, which keeps the lock. Commands hold it for a moment only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, wait: float) -> bool:
        """Take the lock, and wait for it up to so many seconds unless a server holds it. Return whether it is held.

        Raises `ConfigurationError` if the file cannot be opened.
        """
        with files.in_data_path(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + wait
        while not try_lock(descriptor):
            if time.monotonic() >= until or os.pread(descriptor, len(_SERVER), 0) == _SERVER:
                os.close(descriptor)
                return False
            time.sleep(_POLL_SECONDS)
        self._descriptor = descriptor
        return True

    def mark_as_server(self) -> None:
        """Tell others that a server holds the lock, if this process does."""
        if self._descriptor is not None:
            os.pwrite(self._descriptor, _SERVER, 0)

    def unmark(self) -> None:
        """Remove the mark, which may be that of an earlier holder."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        """Release the lock if this process holds it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock on an open file without waiting. Return False if another process holds one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
