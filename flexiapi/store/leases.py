"""Leases that all server processes share; one that is not given back expires."""

from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records


class Leases(Records):
    """Leases by name, each held by one holder at most."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
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
        """Acquire the lease, or extend it if this holder has it already. Return False if another holder has it."""
        now = datetime.now(UTC)
        mine_or_over = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        try:
            await self._leases.update_one(mine_or_over, {"$set": {"holder": holder, "until": now + life}}, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def give_back(self, name: str, holder: str) -> None:
        """Release the lease."""
        await self._leases.delete_one({"_id": name, "holder": holder})
