"""Short locks that all server processes share; one that is not given back ends by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records


class Leases(Records):
    """Each name is held by one holder at most."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._leases = database["leases"]

    async def take(self, name: str, holder: str, life: timedelta) -> bool:
        """Hold the name for a while; `False` when somebody else does."""
        now = datetime.now(UTC)
        change = {"$set": {"holder": holder, "until": now + life}}
        try:
            await self._leases.update_one({"_id": name, "until": {"$lte": now}}, change, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def give_back(self, name: str, holder: str) -> None:
        """Let others have it."""
        await self._leases.delete_one({"_id": name, "holder": holder})
