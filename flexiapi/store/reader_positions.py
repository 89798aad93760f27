"""Positions in the events of the readers of which an installation has one."""

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database


class ReaderPositions(Records):
    """The number of the last event that each reader has used, by its name."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._meta = database["meta"]

    async def begin(self, reader: str, number: int) -> None:
        """Let a reader that has no position begin after that number."""
        await self._meta.update_one({"_id": _key(reader)}, {"$setOnInsert": {"number": number}}, upsert=True)

    async def of(self, reader: str) -> int:
        """Return the position of a reader that has begun."""
        found = await self._meta.find_one({"_id": _key(reader)})
        return 0 if found is None else int(found["number"])

    async def advance(self, reader: str, number: int) -> None:
        """Note that a reader has used the events up to that number."""
        await self._meta.update_one({"_id": _key(reader)}, {"$max": {"number": number}})


def _key(reader: str) -> str:
    return f"reader {reader}"
