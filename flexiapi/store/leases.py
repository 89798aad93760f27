"""Leases that all server processes share; one that is not given back expires."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

_PAST = datetime(1970, 1, 1, tzinfo=UTC)


class Leases(Records, bounds=False):
    """Leases by name, each held by one holder at most."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._leases = database["leases"]

    async def take(self, name: str, holder: str, life: timedelta) -> bool:
        """Acquire the lease for a limited time. Return False if another holder has it."""
        now = datetime.now(UTC)
        change = {"$set": {"holder": holder, "until": now + life}}
        try:
            await self._leases.update_one({"_id": name, "until": {"$lte": now}}, change, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def keep(self, name: str, holder: str, life: timedelta) -> bool:
        """Acquire the lease, or extend it if this holder has it already. Return False if another holder has it.

        The times are the database's, so that the clocks of hosts may differ.
        """
        is_over = {"$lte": [{"$ifNull": ["$until", _PAST]}, "$$NOW"]}
        is_mine = {"$or": [{"$eq": ["$holder", {"$literal": holder}]}, is_over]}
        until = {"$add": ["$$NOW", int(life.total_seconds() * 1000)]}
        change = [
            {
                "$set": {
                    "holder": {"$cond": [is_mine, {"$literal": holder}, "$holder"]},
                    "until": {"$cond": [is_mine, until, "$until"]},
                }
            }
        ]
        lease: Any = await self._leases.find_one_and_update(
            {"_id": name}, change, upsert=True, return_document=ReturnDocument.AFTER
        )
        return bool(lease["holder"] == holder)

    async def holder(self, name: str) -> str | None:
        """Return the holder of the lease, or `None` if it is free."""
        is_held = {"_id": name, "$expr": {"$gt": ["$until", "$$NOW"]}}
        lease = await self._leases.find_one(is_held)
        return None if lease is None else str(lease["holder"])

    async def give_back(self, name: str, holder: str) -> None:
        """Release the lease."""
        await self._leases.delete_one({"_id": name, "holder": holder})
