"""Pushes that were sent a moment ago."""

import hashlib
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database


class SentPushStore(Records):
    """Pushes by what they are about and the device, so that one is not sent twice within a moment."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._pushes = database["sent_pushes"]

    async def begin(self, about: str, device: str, now: datetime, until: datetime) -> bool:
        """Note a push, in one atomic write. Return False if the same one is noted and its time is not over."""
        query = {"_id": _key(about, device), "expires_at": {"$lte": now}}
        try:
            await self._pushes.update_one(query, {"$set": {"expires_at": until}}, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def forget(self, about: str, device: str) -> None:
        """Forget a push that was not sent after all."""
        await self._pushes.delete_one({"_id": _key(about, device)})


def _key(about: str, device: str) -> bytes:
    return hashlib.sha256(f"{len(about)} {about} {device}".encode()).digest()
