"""Events of changes that a document cannot carry: its own removal, and the change of many documents.

Such a change is announced first, with its event. Afterwards the event is inserted and the announcement removed. After a
crash in between, `resolve` finds out whether a removal took place. The event of a change of many documents is told in
any case: it names the documents that may have changed.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.read_concern import ReadConcern

from flexiapi import failpoints
from flexiapi.model import Actor
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.events import EventStore
from flexiapi.store.pending_events import (
    CARRIERS,
    EVENT_FIELDS,
    NONE_PENDING,
    PendingEvents,
    event_document,
    log_event,
    placed,
)

_MAJORITY = ReadConcern("majority")
_PAUSE_SECONDS = 0.02

Document = dict[str, Any]


class Announcements(Records, bounds=False):
    """The announced changes."""

    def __init__(self, database: Database, events: EventStore, pending: PendingEvents) -> None:
        super().__init__(database)
        self._announced = database["announced_events"]
        self._durable = {name: database.get_collection(name, read_concern=_MAJORITY) for name in CARRIERS}
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
            if found.get("pending_events"):
                await asyncio.sleep(_PAUSE_SECONDS)  # a majority does not know of them yet
                continue
            revision = found.get("revision")
            same = {"_id": subject, "revision": revision if revision is not None else {"$exists": False}}
            announced = await self._announce_removal(collection, subject, (revision or 0) + 1, event)
            failpoints.reach("removal-announced")
            if (await documents.delete_one({**same, **NONE_PENDING, **(expecting or {})})).deleted_count:
                failpoints.reach("removed")
                await self.tell(announced)
                return True
            await self.drop(announced)
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
        document = {"_id": ObjectId(), "event": event, "removes": removes}
        # The time is the database's, so that the clocks of hosts may differ.
        change = [{"$set": {"event": {"$literal": event}, "removes": removes, "announced_at": "$$NOW"}}]
        await self._announced.update_one({"_id": document["_id"]}, change, upsert=True)
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

    async def drop(self, announced: Document) -> None:
        """Forget an announced change that did not take place."""
        await self._announced.delete_one({"_id": announced["_id"]})

    async def resolve(self, age: timedelta) -> int:
        """Tell the events of changes that were announced longer ago and took place. Return their number.

        Those that did not take place are forgotten.
        """
        before = {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}
        count = 0
        for announced in await self._announced.find({"$expr": {"$lt": ["$announced_at", before]}}).to_list(None):
            event = announced["event"]
            if not announced["removes"] or await self._is_gone(event):
                await self.tell(announced)
                count += 1
            elif await self._database[event["collection"]].find_one({"_id": event["subject"]}, {"_id": 1}):
                await self.drop(announced)
        return count

    async def tell_removals(self, collection: str, subjects: Sequence[Any]) -> None:
        """Tell the events of announced removals of these documents that took place, before they are made again."""
        query = {"event.collection": collection, "event.subject": {"$in": list(subjects)}, "removes": True}
        for announced in await self._announced.find(query).to_list(None):
            if await self._is_gone(announced["event"]):
                await self.tell(announced)

    async def _is_gone(self, event: Document) -> bool:
        """Return whether a majority knows that the document does not exist."""
        documents = self._durable[event["collection"]]
        return await documents.find_one({"_id": event["subject"]}, {"_id": 1}) is None

    async def counts(self) -> tuple[int, datetime | None]:
        """Return how many changes are announced, and since when the first of them is."""
        oldest = await self._announced.find_one({}, {"announced_at": 1}, sort=[("announced_at", 1)])
        if oldest is None:
            return 0, None
        return await self._announced.count_documents({}), oldest["announced_at"]
