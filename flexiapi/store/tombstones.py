"""Addresses of deleted accounts, reserved for a while."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.model import Actor
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal


class TombstoneStore(Records):
    """Tombstones, one per address; the first one stays."""

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database)
        self._journal = journal
        self._tombstones = database["tombstones"]
        self._reads = CoalescedReads[str, bool](self._read)

    async def _read(self, addresses: Sequence[str]) -> dict[str, bool]:
        found = await self._tombstones.find({"_id": {"$in": addresses}}, {"_id": 1}).to_list(None)
        return {document["_id"]: True for document in found}

    async def add(self, address: str, now: datetime, expires_at: datetime | None) -> None:
        """Keep an address from being taken again."""
        document: dict[str, Any] = {"created_at": now}
        if expires_at is not None:
            document["expires_at"] = expires_at
        await self._tombstones.update_one({"_id": address}, {"$setOnInsert": document}, upsert=True)

    async def has(self, address: str) -> bool:
        """Return True if the address is reserved."""
        return await self._reads.get(address) is not None

    async def count_before(self, moment: datetime) -> int:
        """Return the number of tombstones that are older."""
        return await self._tombstones.count_documents({"created_at": {"$lt": moment}})

    async def clear_before(self, moment: datetime, actor: Actor) -> int:
        """Remove the older ones. Return their number."""
        announcements = self._journal.announcements
        announced = await announcements.announce("tombstones", actor, "tombstones.removed", {"before": moment})
        removed = (await self._tombstones.delete_many({"created_at": {"$lt": moment}})).deleted_count
        if removed:
            await announcements.tell(announced, count=removed)
        else:
            await announcements.drop(announced)
        return removed
