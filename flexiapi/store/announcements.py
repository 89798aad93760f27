"""Events of changes that a document cannot carry: its own removal, and the change of many documents.

Such a change is announced first, with its event. Afterwards the event is inserted and the announcement removed. After a
crash in between, `resolve` finds out whether a removal took place. The event of a change of many documents is told in
any case: it names the documents that may have changed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorDatabase

from flexiapi import failpoints
from flexiapi.model import Actor
from flexiapi.store.connection import Records
from flexiapi.store.events import EventStore
from flexiapi.store.pending_events import EVENT_FIELDS, NONE_PENDING, PendingEvents, event_document, log_event, placed

Document = dict[str, Any]


class Announcements(Records):
    """The announced changes."""

    def __init__(
        self, database: "AsyncIOMotorDatabase[dict[str, Any]]", events: EventStore, pending: PendingEvents
    ) -> None:
        super().__init__(database)
        self._announced = database["announced_events"]
        self._events = events
        self._pending = pending

    async def remove(
        self,
        collection: str,
        subject: Any,
        event: Document,
        expecting: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a document and tell the event of that. Return False if it is gone or not as expected."""
        documents = self._database[collection]
        while True:
            await self._pending.move_of(collection, subject)
            found = await documents.find_one({"_id": subject}, EVENT_FIELDS)
            if found is None:
                return False
            revision = found.get("revision")
            same = {"_id": subject, "revision": revision if revision is not None else {"$exists": False}}
            announced = await self._announce_removal(collection, subject, (revision or 0) + 1, event)
            failpoints.reach("removal-announced")
            if (await documents.delete_one({**same, **NONE_PENDING, **(expecting or {})})).deleted_count:
                failpoints.reach("removed")
                await self.tell(announced)
                return True
            await self._announced.delete_one({"_id": announced["_id"]})
            if await documents.find_one({**same, **NONE_PENDING}, {"_id": 1}) is not None:
                return False

    async def _announce_removal(self, collection: str, subject: Any, revision: int, event: Document) -> Document:
        # Two processes may announce one removal: their events are the same, so that it is told once.
        name = f"{collection} {subject} {revision}".encode()
        event = placed({**event, "_id": ObjectId(hashlib.sha256(name).digest()[:12])}, collection, subject, revision)
        return await self._announce(event, removes=True)

    async def announce(self, collection: str, actor: Actor, name: str, details: Mapping[str, Any]) -> Document:
        """Announce a change of many documents, to be told by `tell`. Return the announcement."""
        return await self._announce(placed(event_document(actor, name, details), collection, None, 0), removes=False)

    async def _announce(self, event: Document, *, removes: bool) -> Document:
        document = {"_id": ObjectId(), "event": event, "removes": removes, "announced_at": datetime.now(UTC)}
        await self._announced.insert_one(document)
        return document

    async def tell(self, announced: Document, **details: Any) -> None:
        """Insert the event of an announced change that took place, with more details if they are known now."""
        event = announced["event"]
        if details:
            event = {**event, "details": {**event.get("details", {}), **details}}
        await self._events.add([event])
        log_event(event, event["collection"], event["subject"])
        failpoints.reach("announced-event-told")
        await self._announced.delete_one({"_id": announced["_id"]})

    async def resolve(self, before: datetime) -> int:
        """Tell the events of changes that were announced before that moment, and took place. Return their number."""
        return await self._resolve({"announced_at": {"$lt": before}})

    async def resolve_of(self, collection: str, subjects: Sequence[Any]) -> None:
        """Tell the events of announced removals of these documents that took place, before they are made again."""
        await self._resolve({"event.collection": collection, "event.subject": {"$in": list(subjects)}})

    async def _resolve(self, query: Mapping[str, Any]) -> int:
        count = 0
        for announced in await self._announced.find(dict(query)).to_list(None):
            event = announced["event"]
            is_there = announced["removes"] and await self._database[event["collection"]].find_one(
                {"_id": event["subject"]}, {"_id": 1}
            )
            if is_there:
                await self._announced.delete_one({"_id": announced["_id"]})
            else:
                await self.tell(announced)
                count += 1
        return count

    async def count(self) -> int:
        """Return the number of announced changes."""
        return await self._announced.count_documents({})
