"""The log of the embedded mongod: its rotation, and the reason of an end in one sentence."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

from flexiapi.errors import ConfigurationError

_MOST_LOG_BYTES = 16 * 1024 * 1024
_LOWEST_SPACE_BYTES = 32 * 1024 * 1024
"""A mongod needs this much to write its journal and a checkpoint."""
_LONGEST_REASON = 200


def rotate(log: Path, pid: int | None = None) -> None:
    """Keep a log that has grown too long as the only former one. A running mongod is told to begin a new one."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > _MOST_LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
            if pid is not None:
                os.kill(pid, signal.SIGUSR1)


def refuse_full_disk(folder: Path) -> None:
    """Raise `ConfigurationError` if the disk has no space for a database."""
    if (reason := _full_disk(folder)) is not None:
        raise ConfigurationError(f"data.path (DATA_PATH): {reason} Free space there.")


def why_ended(log: Path) -> str:
    """Return the probable reason why a mongod ended, for operators."""
    return _full_disk(log.parent) or f"see {log}"


def first_line(output: str) -> str:
    """Return the first line of an output, cut: a mongod that ends by a fault prints its whole stack."""
    return output.partition("\n")[0][:_LONGEST_REASON]


def _full_disk(folder: Path) -> str | None:
    free = shutil.disk_usage(folder).free
    if free >= _LOWEST_SPACE_BYTES:
        return None
    return f"The disk of {folder} is full: {free // 1024} KiB are free, and the embedded mongod needs 32 MiB."
