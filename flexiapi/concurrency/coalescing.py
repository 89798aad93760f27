"""Coalescing of concurrent operations: those that arrive while one is under way are sent together as the next.

Each Motor operation costs a hop to a thread and back, so fewer and larger operations make the server fast. There is no
cache: a batch is closed before it is sent, so a caller never gets data older than its own arrival.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Sends items in batches, at most `in_flight` at once; the result of an item is the one at its place.

    `send` gets the items of a batch and returns a result or an exception for each, in order. If it raises, all waiters
    of the batch get that exception. Cancelling a waiter does not affect the others.
    """

    def __init__(
        self, send: Callable[[Sequence[Item]], Awaitable[Sequence[Result | BaseException]]], in_flight: int = 2
    ) -> None:
        self._send = send
        self._free = in_flight
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def add(self, item: Item) -> "asyncio.Future[Result]":
        """Add an item to the next batch and return the future of its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._free and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._depart)
        return future

    async def drain(self) -> None:
        """Wait until no batch is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _depart(self) -> None:
        self._scheduled = False
        if not self._waiting or not self._free:
            return
        batch, self._waiting = self._waiting, []
        self._free -= 1
        task = asyncio.get_running_loop().create_task(self._carry(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, batch: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        try:
            results = await self._send([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # any failure belongs to the waiters
            results = [error] * len(batch)
        finally:
            self._free += 1
            self._depart()
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)


class CoalescedReads(Generic[K, V]):
    """Lookups by key; equal keys in one batch share one answer."""

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], in_flight: int = 2) -> None:
        self._fetch = fetch
        self._batches: Batches[K, V | None] = Batches(self._lookup, in_flight)

    async def get(self, key: K) -> V | None:
        """Return the current value of the key, or `None`."""
        return await self._batches.add(key)

    async def _lookup(self, keys: Sequence[K]) -> Sequence[V | None]:
        found = await self._fetch(list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]
