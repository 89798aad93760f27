"""Numbering of events, and the sweep of what a crash left, by one process of the installation at a time."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from flexiapi.errors import StoreUnavailable
from flexiapi.events import figures
from flexiapi.observing import log
from flexiapi.store import Store

POLL_SECONDS = 0.1
LEASE_SECONDS = 2.0
LEASE_LIFE = timedelta(seconds=8)
SWEEP_SECONDS = 30.0
LEFT_BEHIND = timedelta(seconds=5)
"""The age of an event that its own process would have moved by now."""
RESOLVE_AFTER = timedelta(minutes=3)
"""The age of an announcement whose change is over: longer than all tries of its writes may take."""

_AT_ONCE = 1000
_LEASE = "events"


class Numbering:
    """The numbering of events, in the one process that holds the lease."""

    def __init__(self, store: Store, days: int) -> None:
        self._store = store
        self._journal = store.journal
        self._kept_for = timedelta(days=days)
        self._holder = secrets.token_hex(8)

    async def number_all(self) -> int:
        """Number all events that wait for it. Return how many there were. Any process may do so at any time."""
        count = 0
        while numbered := await self._journal.events.numbers.give(_AT_ONCE):
            count += numbered
        return count

    async def sweep(self, now: datetime) -> None:
        """Move what processes left in documents, tell announced changes that are over, and remove old events."""
        swept = await self._journal.pending.sweep(now - LEFT_BEHIND)
        resolved = await self._journal.announcements.resolve(now - RESOLVE_AFTER)
        if swept or resolved:
            log.info("events of an interrupted process were moved", documents=swept, announced=resolved)
        await self._journal.events.numbers.forget_batches()
        await self._journal.events.remove_older(now - self._kept_for)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Number and sweep in the block, whenever no other process does."""
        worker = asyncio.create_task(self._work_for_ever())
        try:
            yield
        finally:
            worker.cancel()
            await asyncio.wait({worker})
            with contextlib.suppress(StoreUnavailable):
                await self._store.leases.give_back(_LEASE, self._holder)

    async def _work_for_ever(self) -> None:
        while True:
            try:
                swept_at = float("-inf")  # the holder before may have ended by a crash
                while await self._store.leases.keep(_LEASE, self._holder, LEASE_LIFE):
                    if time.monotonic() - swept_at >= SWEEP_SECONDS:
                        await self.sweep(datetime.now(UTC))
                        await self._show()
                        swept_at = time.monotonic()
                    await self._number_for_a_while()
            except StoreUnavailable:
                log.debug("events not numbered", reason="the database is away")  # that is in the log already
            except Exception:  # noqa: BLE001  # the next try may succeed
                log.error("events not numbered", exc_info=True)
            await asyncio.sleep(LEASE_SECONDS)

    async def _number_for_a_while(self) -> None:
        """Number until the lease must be extended."""
        extended_at = time.monotonic()
        while time.monotonic() - extended_at < LEASE_SECONDS:
            await self.number_all()
            await asyncio.sleep(POLL_SECONDS)

    async def _show(self) -> None:
        """Set the metrics."""
        now = datetime.now(UTC)
        stations = {"pending": await self._journal.pending.counts(), "unnumbered": await self._journal.events.counts()}
        for station, (count, oldest) in stations.items():
            figures.waiting.labels(station).set(count)
            figures.waiting_seconds.labels(station).set(0 if oldest is None else (now - oldest).total_seconds())
        figures.waiting.labels("announced").set(await self._journal.announcements.count())
        figures.last_number.set(await self._journal.events.numbers.last())
