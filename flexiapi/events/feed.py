"""Accounts whose SIP credentials changed, from the events: the feed of the sign-in replicas of all hosts.

Servers of before the journal write no events. As long as some of them may run, MongoDB's change stream is followed too.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from flexiapi.errors import ChangesLost
from flexiapi.events import figures
from flexiapi.store.changes import AccountChanges
from flexiapi.store.events import EventStore

POLL_SECONDS = 0.2
_AT_ONCE = 500
_WAIT_SECONDS = 1.0
# Positions in the change stream, of earlier releases, are hexadecimal.
_MARK = "#"
_READER = "sign-in replica"


class AccountFeed(Protocol):
    """Changed accounts from a position on."""

    async def next(self) -> int | None:
        """Return the id of the account that changed next, or `None` if none did for about a second."""

    @property
    def position(self) -> str | None:
        """The position after the last result of `next`."""


class EventFeed:
    """The accounts that events name, after the event with this number."""

    def __init__(self, events: EventStore, number: int) -> None:
        self._events = events
        self._number = number
        self._read = number
        self._ids: deque[tuple[int, int]] = deque()

    async def next(self) -> int | None:
        """Return the id of the next changed account, or `None` after a second without changes. Raises `ChangesLost`."""
        until = time.monotonic() + _WAIT_SECONDS
        while not self._ids:
            if await self._fetch():
                continue
            if time.monotonic() >= until:
                return None
            await asyncio.sleep(POLL_SECONDS)
        account_id, _ = self._ids.popleft()
        # While accounts of an event are left, the position is before it.
        self._number = self._ids[0][1] if self._ids else self._read
        figures.read_up_to[_READER] = self._number
        return account_id

    async def _fetch(self) -> bool:
        """Read the next events. Return whether there were any."""
        events = await self._events.after(self._read, _AT_ONCE)
        for event in events:
            if event.touches_credentials:
                before = self._read if event.number is None else event.number - 1
                self._ids.extend((account_id, before) for account_id in event.account_ids)
        if events:
            self._read = events[-1].number or self._read
            if not self._ids:
                self._number = self._read
        figures.read_up_to[_READER] = self._number
        return bool(events)

    @property
    def position(self) -> str | None:
        """The number of the last event whose accounts were all returned, after a `#`."""
        return f"{_MARK}{self._number}"


class BothFeeds:
    """The accounts of two feeds; its position names both of theirs."""

    def __init__(self, events: AccountFeed, stream: AccountFeed) -> None:
        self._feeds = (events, stream)
        # Those of the results that were returned: a feed may be ahead, with a result that is not yet.
        self._positions = {feed: feed.position for feed in self._feeds}
        self._pending: dict[AccountFeed, asyncio.Task[int | None]] = {}

    async def next(self) -> int | None:
        """Return the id of the next changed account of either feed, or `None` after a second without changes."""
        for feed in self._feeds:
            if feed not in self._pending:
                self._pending[feed] = asyncio.create_task(feed.next())
        done, _ = await asyncio.wait(self._pending.values(), return_when=asyncio.FIRST_COMPLETED)
        feed = next(feed for feed in self._feeds if self._pending[feed] in done)
        changed = self._pending.pop(feed).result()
        self._positions[feed] = feed.position
        return changed

    @property
    def position(self) -> str | None:
        """The position in the events, and that in the stream."""
        events, stream = (self._positions[feed] for feed in self._feeds)
        return f"{events} {stream}" if stream else events

    async def close(self) -> None:
        """End the reads under way."""
        tasks = set(self._pending.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class AccountFeeds:
    """The feeds of changed accounts. `old_servers` tells whether servers that write no events may still run."""

    def __init__(self, events: EventStore, stream: AccountChanges, old_servers: Callable[[], Awaitable[bool]]) -> None:
        self._events = events
        self._stream = stream
        self._old_servers = old_servers

    @asynccontextmanager
    async def watch(self, position: str | None, *, with_stream: bool = True) -> AsyncIterator[AccountFeed]:
        """Follow the changes after the position, or from now on.

        Raises `ChangesLost` if the position is no longer known, and `StoreUnavailable`. With old servers also
        `ChangesUnsupported`, if MongoDB is not a replica set; without `with_stream` their changes are left out.
        """
        number, _, token = (position or "").partition(" ")
        if position is not None and not number.startswith(_MARK):
            raise ChangesLost("its position is one of a release before the journal of events")
        last = int(number.removeprefix(_MARK)) if position else await self._events.numbers.last()
        feed = EventFeed(self._events, last)
        try:
            if not (with_stream and await self._old_servers()):
                yield feed
                return
            async with self._stream.watch(token or None) as stream:
                both = BothFeeds(feed, stream)
                try:
                    yield both
                finally:
                    await both.close()
        finally:
            # This process reads no more; another one of the host may.
            figures.read_up_to.pop(_READER, None)
