"""Nonces that were used by SIP, with their counts; each counts once."""

from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records


class SipUses(Records):
    """Each SIP request waits for this write, so the primary's memory is enough.

    What a crash may lose is the last tenth of a second: only a request replayed in that moment would pass.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._uses = database["used_nonces"].with_options(write_concern=WriteConcern(w=1))

    async def first(self, use: str, expires_at: datetime) -> bool:
        """Keep a use until then; `False` when it was kept already, also among parallel requests."""
        try:
            await self._uses.insert_one({"_id": use, "expires_at": expires_at})
        except DuplicateKeyError:
            return False
        return True
