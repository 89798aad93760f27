"""Instances of a configured backend: a new one takes the place of another when the files that it read change."""

import asyncio
import os
import stat
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from flexiapi.plugin import Backend

M = TypeVar("M")

_Version = tuple[int, int, int] | None


class Instance(Generic[M]):
    """A backend object and the files that it has read; `idle` while no messages are `under_way` in it."""

    def __init__(self, backend: Backend[Any, M]) -> None:
        self.backend = backend
        self._read: dict[Path, _Version] = {}
        self.under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def start(self) -> None:
        """Start the backend. Raises what it raises."""
        # Before it reads them, so that no change is missed.
        self._read = await asyncio.to_thread(_versions, self.backend)
        await self.backend.start()

    async def is_outdated(self) -> bool:
        """Return whether a file was changed, made or removed since the start."""
        return await asyncio.to_thread(_versions, self.backend) != self._read

    def successor(self) -> "Instance[M]":
        """Return an instance with the same settings, to be started."""
        return Instance(type(self.backend)(self.backend.config))

    async def retire(self, seconds: float) -> None:
        """Close the backend when nothing is under way in it, or at once when cancelled.

        Neither may take longer than `seconds`: a message that ignores the end of its time keeps it for ever.
        """
        try:
            await _within(seconds, self.idle.wait())
        finally:
            await _within(seconds, self.close())

    async def close(self) -> None:
        """Close the backend and ignore its errors."""
        with suppress(Exception):
            await self.backend.close()


async def _within(seconds: float, work: Coroutine[Any, Any, object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


def _versions(backend: Backend[Any, Any]) -> dict[Path, _Version]:
    try:
        return {path: _version(path) for path in backend.files()}
    except Exception:  # noqa: BLE001 - a plugin may be wrong in any way: its files are not watched
        return {}


def _version(path: Path) -> _Version:
    try:
        found = os.stat(path)  # noqa: PTH116 - follows links, as those of certificates are
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None
