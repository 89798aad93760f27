"""Integer ids: one atomic counter per kind, whose increments are shared by concurrent requests."""

from collections.abc import Sequence
from typing import Any

from pymongo import ReturnDocument

from flexiapi.concurrency.coalescing import Batches
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database


class Counters(Records):
    """Assigns ids from 1 on, without gaps as long as writes succeed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._counters = database["counters"]
        self._batches: dict[str, Batches[None, int]] = {}

    async def next(self, kind: str) -> int:
        """Return the next id of a kind."""
        if kind not in self._batches:
            self._batches[kind] = Batches(self._drawer(kind), in_flight=1)
        return await self._batches[kind].add(None)

    def _drawer(self, kind: str) -> Any:
        async def draw(items: Sequence[None]) -> list[int]:
            counter: Any = await self._counters.find_one_and_update(
                {"_id": kind}, {"$inc": {"last": len(items)}}, upsert=True, return_document=ReturnDocument.AFTER
            )
            last = int(counter["last"])
            return list(range(last - len(items) + 1, last + 1))

        return draw

    async def raise_to(self, kind: str, at_least: int) -> None:
        """Raise the last id of a kind to at least this value."""
        await self._counters.update_one({"_id": kind}, {"$max": {"last": at_least}}, upsert=True)
