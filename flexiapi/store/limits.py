"""Counters of limits, which all server processes share: one atomic increment each, ended by time."""

from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument, WriteConcern

from flexiapi.store.connection import Records


class LimitCounters(Records):
    """Counts what happens per name and subject in fixed windows."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._limits = database.get_collection("limits", write_concern=WriteConcern(w=1))

    async def count(self, name: str, subject: str, window: timedelta, now: datetime) -> int:
        """Count one; how many there are now in the window."""
        place = _place(name, subject, window, now)
        document = await self._limits.find_one_and_update(
            {"_id": place},
            {"$inc": {"count": 1}, "$setOnInsert": {"expires_at": now + 2 * window}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(document["count"])

    async def counted(self, name: str, subject: str, window: timedelta, now: datetime) -> int:
        """How many there are in the window."""
        document = await self._limits.find_one({"_id": _place(name, subject, window, now)})
        return 0 if document is None else int(document["count"])

    async def give_back(self, name: str, subject: str, window: timedelta, now: datetime) -> None:
        """Undo one count, because what it stood for did not happen."""
        await self._limits.update_one({"_id": _place(name, subject, window, now)}, {"$inc": {"count": -1}})


def _place(name: str, subject: str, window: timedelta, now: datetime) -> str:
    return f"{name}:{subject}:{int(now.timestamp() // window.total_seconds())}"
