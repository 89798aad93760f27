"""Times of last use of API keys, buffered in memory and written in bulk, because seconds do not matter."""

from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne

from flexiapi.store.connection import Records


class KeyUses(Records):
    """The buffer of uses that are not written yet."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._uses: dict[bytes, datetime] = {}

    def note(self, key_hash: bytes, now: datetime) -> None:
        """Note a use."""
        self._uses[key_hash] = now

    def last(self, key_hash: bytes) -> datetime | None:
        """Return the last use if it is not written yet."""
        return self._uses.get(key_hash)

    async def write(self) -> None:
        """Write the buffered uses; on failure they are kept for the next time."""
        if not self._uses:
            return
        uses, self._uses = self._uses, {}
        updates = [
            UpdateOne({"api_key.hash": key_hash}, {"$max": {"api_key.last_used_at": moment}})
            for key_hash, moment in uses.items()
        ]
        try:
            await self._accounts.bulk_write(updates, ordered=False)
        except BaseException:
            self._uses = {**uses, **self._uses}
            raise
