"""Continuous update of this host's sign-in replica from the store, for changes made on any host.

One process of the host follows: the one that holds the lock beside the file; when it ends, another takes over. It
compares everything once, and follows the store's changes from there. The position in the changes is noted in the file
itself, so a restart continues where the last process ended, even between a change and its projection.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from flexiapi import failpoints
from flexiapi.errors import ChangesLost, ChangesUnsupported, ReplicaUnavailable, StoreUnavailable
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.flexisip.replica_file import give_to_owner
from flexiapi.observing import log

NOTE_SECONDS = 5.0
LOCK_SECONDS = 1.0
RETRY_SECONDS = 2.0
COMPARE_SECONDS = 3600.0
"""Seconds between comparisons, which find what was changed in the database by hand."""
COMPARE_OFTEN_SECONDS = 300.0
"""Seconds between comparisons when the store cannot report changes."""

_MOST_PENDING = 10_000


class Feed(Protocol):
    """The store's changes from a position on."""

    async def next(self) -> int | None:
        """Return the id of the account that changed next, or `None` if none did for about a second."""

    @property
    def position(self) -> str | None:
        """The position after the last result of `next`."""


class Changes(Protocol):
    """The source of changes of accounts."""

    def watch(self, position: str | None, *, with_stream: bool = True) -> AbstractAsyncContextManager[Feed]:
        """Watch the changes after the position, or from now on. Raises `ChangesLost` or `ChangesUnsupported`.

        Without `with_stream` changes of servers that write no events are left out, and it is always supported.
        """


class Follower:
    """Follows the store's changes for one replica, until it is cancelled."""

    def __init__(
        self, replica: SignInReplica, changes: Changes, path: Path, may_work: Callable[[], bool] = lambda: True
    ) -> None:
        self._may_work = may_work
        self._replica = replica
        self._changes = changes
        self._lock_path = path.with_name(path.name + ".lock")
        self._pending: dict[int, None] = {}
        self._position: str | None = None
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._compared = asyncio.Event()

    async def run(self) -> None:
        """Follow forever, once this process holds the lock; failures are logged and retried."""
        while True:
            try:
                async with _held(self._lock_path):
                    await self._follow_for_ever()
            except OSError as error:
                log.warning("the sign-in replica cannot be locked", path=str(self._lock_path), reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow_for_ever(self) -> None:
        while True:
            try:
                await self._follow_once()
            except (ReplicaUnavailable, StoreUnavailable) as error:
                log.warning("the sign-in replica does not follow now", reason=str(error.__cause__ or error))
            except Exception:  # noqa: BLE001  # no failure may end the following
                log.exception("the sign-in replica does not follow now")
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow_once(self) -> None:
        try:
            try:
                await self._follow(await self._replica.position())
            except ChangesUnsupported:
                log.warning(
                    "the sign-in replica is compared at intervals: MongoDB is not a replica set, and servers of a "
                    "release without events may run",
                    seconds=COMPARE_OFTEN_SECONDS,
                )
                await self._follow(await self._replica.position(), with_stream=False)
        except ChangesLost as error:
            log.warning("the sign-in replica missed changes; all accounts are compared", reason=str(error))
            await self._replica.set_position("")

    async def _follow(self, position: str | None, *, with_stream: bool = True) -> None:
        self._pending, self._position = {}, None
        for event in (self._arrived, self._taken, self._compared):
            event.clear()
        seconds = COMPARE_SECONDS if with_stream else COMPARE_OFTEN_SECONDS
        try:
            async with self._changes.watch(position, with_stream=with_stream) as feed, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(feed))
                tasks.create_task(self._write())
                tasks.create_task(self._compare_for_ever(seconds))
        except ExceptionGroup as group:
            # The first task to fail cancelled the others; its exception decides what happens next.
            first = group.exceptions[0]
            raise first from first.__cause__

    async def _read(self, feed: Feed) -> None:
        """Collect changed ids while earlier changes are written."""
        while True:
            changed = await feed.next()
            if changed is not None:
                self._pending[changed] = None
            self._position = feed.position
            self._arrived.set()
            while len(self._pending) >= _MOST_PENDING:
                self._taken.clear()
                await self._taken.wait()

    async def _write(self) -> None:
        noted_at = time.monotonic()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            ids, self._pending = list(self._pending), {}
            position = self._position
            self._taken.set()
            await self._project(ids)
            if self._compared.is_set() and time.monotonic() - noted_at >= NOTE_SECONDS:
                await self._note(position)
                noted_at = time.monotonic()

    async def _project(self, ids: list[int]) -> None:
        """Project until it succeeds: the position must stand for the content of the file."""
        while True:
            if not self._may_work():
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                await self._replica.project(*ids)
            except ReplicaUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _note(self, position: str | None) -> None:
        if not await self._replica.is_complete():
            raise ChangesLost("its file is a new one")
        failpoints.reach("replica-before-place")
        if position is not None and position != await self._replica.position():
            await self._replica.set_position(position)

    async def _compare(self) -> None:
        while not self._may_work():  # noqa: ASYNC110  # a clock decides, too
            await asyncio.sleep(RETRY_SECONDS)
        done = await self._replica.rebuild()
        if done.corrected:
            log.info("the sign-in replica had %d of %d accounts wrong", done.corrected, done.compared)
        self._compared.set()

    async def _compare_for_ever(self, seconds: float) -> None:
        while True:
            await self._compare()
            await asyncio.sleep(seconds)


@asynccontextmanager
async def _held(path: Path) -> AsyncIterator[None]:
    """Hold the lock of one process, which ends with the process in any case."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_to_owner(path)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(LOCK_SECONDS)
            else:
                break
        yield
    finally:
        os.close(descriptor)
