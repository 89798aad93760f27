"""Numbering of events, and the sweep of what a crash left, by one process of the installation at a time."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.errors import StoreUnavailable
from flexiapi.observing import log
from flexiapi.store import Store

POLL_SECONDS = 0.1
LEASE_SECONDS = 2.0
LEASE_LIFE = timedelta(seconds=8)
SWEEP_SECONDS = 30.0
LEFT_BEHIND = timedelta(seconds=5)
"""The age of an event that its own process would have moved by now."""
RESOLVE_SETTLINGS = 2.0
"""The age of an announcement whose change is over, in times that all tries of a change may take."""

_AT_ONCE = 2000
_LEASE = "events"


class Numbering:
    """The numbering of events, in the one process that holds the lease."""

    def __init__(self, store: Store, days: int) -> None:
        self._store = store
        self._journal = store.journal
        self._kept_for = timedelta(days=days)
        self._holder = secrets.token_hex(8)

    async def number_all(self) -> None:
        """Number all events that wait for it. Any process may do so at any time."""
        while await self._journal.events.numbers.give(_AT_ONCE):
            pass

    async def sweep(self) -> None:
        """Move what processes left in documents, tell announced changes that are over, and remove old events."""
        now = datetime.now(UTC)
        pending, announcements, events = self._journal.pending, self._journal.announcements, self._journal.events
        resolve_after = RESOLVE_SETTLINGS * self._store.account_ranges.settling
        moved = await _tried("documents", pending.sweep(now - LEFT_BEHIND))
        told = await _tried("announced", announcements.resolve(resolve_after))
        if moved or told:
            log.info("events of an interrupted process were moved", documents=moved, announced=told)
        await _tried("old", events.remove_older(now - self._kept_for))

    @contextlib.asynccontextmanager
    async def running(self, may_work: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """Number and sweep in the block, whenever no other process does and this one may work."""
        try:
            async with beside(self._work_for_ever(may_work)):
                yield
        finally:
            # The lease ends by itself: a database that is away must not hold up the stop.
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(LEASE_SECONDS):
                    await self._store.leases.give_back(_LEASE, self._holder)

    async def _work_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            await attempted(self._work_while_leased(may_work), "events not numbered")
            await asyncio.sleep(LEASE_SECONDS)

    async def _work_while_leased(self, may_work: Callable[[], bool]) -> None:
        swept_at = float("-inf")  # the holder before may have ended by a crash
        while may_work() and await self._store.leases.keep(_LEASE, self._holder, LEASE_LIFE):
            await self._number_for_a_while()
            if time.monotonic() - swept_at >= SWEEP_SECONDS:
                await self.sweep()
                swept_at = time.monotonic()

    async def _number_for_a_while(self) -> None:
        """Number until the lease must be extended."""
        extended_at = time.monotonic()
        while time.monotonic() - extended_at < LEASE_SECONDS:
            if not await self._journal.events.numbers.give(_AT_ONCE):
                await asyncio.sleep(POLL_SECONDS)


async def _tried(part: str, work: Awaitable[int]) -> int:
    """Return the result of a part of the sweep, 0 if it fails: the other parts do not depend on it."""
    try:
        return await work
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001  # one document that cannot be moved must not hold up the others
        log.error("the sweep of events failed in part", part=part, exc_info=True)
        return 0
