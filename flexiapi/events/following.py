"""Readers of events of which the installation has one, in the process that holds their lease."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import timedelta

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.errors import ChangesLost
from flexiapi.model import Event
from flexiapi.observing import log
from flexiapi.store import Store

POLL_SECONDS = 0.5
LEASE_LIFE = timedelta(seconds=30)
_WAIT_SECONDS = 5.0
_AT_ONCE = 500


class EventFollower:
    """A reader that hands over each event with one of the names, in order, and remembers how far it came.

    After a crash the last events are handed over once more: `take` must do nothing for one that it had.
    """

    def __init__(
        self, store: Store, name: str, event_names: Collection[str], take: Callable[[Event], Awaitable[None]]
    ) -> None:
        self._events = store.journal.events
        self._positions = store.journal.positions
        self._leases = store.leases
        self._name = name
        self._event_names = event_names
        self._take = take
        self._holder = secrets.token_hex(8)

    async def begin(self) -> None:
        """Begin after the last event of now, unless it has begun before."""
        await self._positions.begin(self._name, await self._events.numbers.last())

    @contextlib.asynccontextmanager
    async def running(self, may_work: Callable[[], bool]) -> AsyncIterator[None]:
        """Follow in the block, whenever no other process does and this one may work."""
        async with beside(self._follow_for_ever(may_work)):
            yield

    async def _follow_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            if may_work():
                await attempted(self._follow_while_leased(may_work), "events not followed")
            await asyncio.sleep(_WAIT_SECONDS)

    async def _follow_while_leased(self, may_work: Callable[[], bool]) -> None:
        while may_work() and await self._leases.keep(f"follower {self._name}", self._holder, LEASE_LIFE):
            if not await self.step():
                await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> bool:
        """Hand over the next events. Return whether there were any."""
        number = await self._positions.of(self._name)
        try:
            events = await self._events.after(number, _AT_ONCE)
        except ChangesLost as gap:
            log.error("a reader missed events", reader=self._name, reason=str(gap))
            await self._positions.advance(self._name, await self._events.beyond_gap(number))
            return True
        for event in events:
            if event.name in self._event_names:
                await self._take(event)
        if events:
            await self._positions.advance(self._name, events[-1].number or number)
        return bool(events)
