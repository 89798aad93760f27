"""The events of the past, and those that follow, for an operator to read."""

import asyncio
from collections.abc import AsyncIterator

from flexiapi.errors import ChangesLost
from flexiapi.events.numbering import Numbering
from flexiapi.model import Event, EventSelection
from flexiapi.store.events import EventStore

POLL_SECONDS = 0.5
_AT_ONCE = 500


class History:
    """The numbered events. Reading numbers those that wait for it, also while no server runs."""

    def __init__(self, events: EventStore, numbering: Numbering) -> None:
        self._events = events
        self._numbering = numbering

    async def newest(self, wanted: EventSelection, most: int) -> list[Event]:
        """Return the last `most` events that are wanted, in order."""
        await self._numbering.number_all()
        return await self._events.newest(wanted, most)

    async def last(self) -> int:
        """Return the number of the newest event; 0 before the first."""
        await self._numbering.number_all()
        return await self._events.numbers.last()

    async def follow(
        self, wanted: EventSelection, number: int, *, for_ever: bool
    ) -> AsyncIterator[Event | ChangesLost]:
        """Yield the wanted events after that number, and a `ChangesLost` in place of events that are no longer kept.

        `for_ever` waits for further ones at the end.
        """
        while True:
            try:
                events = await self._events.after(number, _AT_ONCE)
            except ChangesLost as gap:
                yield gap
                number = await self._events.before_first()
                continue
            if not events and not for_ever:
                return
            if not events:
                await asyncio.sleep(POLL_SECONDS)
                await self._numbering.number_all()
                continue
            last = events[-1].number or number
            for event in await self._events.between(wanted, number, last):
                yield event
            number = last
