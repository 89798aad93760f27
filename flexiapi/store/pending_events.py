"""Events that are still in the documents whose changes they are, and their move into the `events` collection.

A change and its event are one write: the event stands in `pending_events` of the changed document, and `revision` grows
by one. So the place of an event in the array and the revision of the document give the event its own revision. The
events of a document are always moved together and in their order, so a later one is never in `events` without the
earlier ones.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import WriteConcern
from pymongo.read_concern import ReadConcern

from flexiapi import failpoints, observing
from flexiapi.model import Actor, ActorKind
from flexiapi.store.connection import Records
from flexiapi.store.driver import Collection, Database
from flexiapi.store.events import EventStore

CARRIERS = (
    "accounts",
    "account_types",
    "contacts_lists",
    "external_accounts",
    "creation_tokens",
    "request_tokens",
    "recovery_tokens",
    "auth_tokens",
    "reset_links",
    "voicemail_boxes",
    "named_keys",
)
"""The collections whose documents carry events."""

WITHOUT_EVENTS = {"pending_events": 0, "pending_since": 0, "words": 0}
"""The projection of reads that need no events, and not what searches compare."""

MOST = 32
"""The most events that a document carries."""

HAS_ROOM = {f"pending_events.{MOST - 1}": {"$exists": False}}
IS_FULL = {f"pending_events.{MOST - 1}": {"$exists": True}}
NONE_PENDING = {"pending_since": {"$exists": False}}
EVENT_FIELDS = {"revision": 1, "pending_events": 1}

_MOST_NOTED = 10_000
_AT_ONCE = 200

Document = dict[str, Any]
Place = tuple[str, Any]


def event_document(actor: Actor, name: str, details: Mapping[str, Any] | None = None) -> Document:
    """Return an event as it is stored in the document that changes."""
    # Servers of earlier releases know no keys as actors.
    who: Document = {"kind": (ActorKind.SYSTEM if actor.kind is ActorKind.KEY else actor.kind).value}
    if actor.key_id is not None:
        who["key"] = actor.key_id
    if actor.account_id is not None:
        who["account"] = actor.account_id
    if actor.sign_in is not None:
        who["sign_in"] = actor.sign_in
    if actor.address:
        who["address"] = actor.address
    if actor.user_agent:
        who["agent"] = actor.user_agent
    event: Document = {"_id": ObjectId(), "name": name, "at": datetime.now(UTC), "actor": who}
    if details:
        event["details"] = details
    return event


def inserting(document: Document, event: Document) -> Document:
    """Return a new document with the event of its creation."""
    return document | {"revision": 1, "pending_events": [event], "pending_since": event["at"]}


def updating(update: Mapping[str, Any], event: Document) -> Document:
    """Return an update that writes the event of the change too."""
    return {
        **update,
        "$inc": {**update.get("$inc", {}), "revision": 1},
        "$push": {**update.get("$push", {}), "pending_events": event},
        "$min": {**update.get("$min", {}), "pending_since": event["at"]},
    }


def updating_many(fields: Mapping[str, Any], events: Mapping[Any, Document]) -> list[Document]:
    """Return an update that sets the fields of several documents, and writes the event of each, by its id."""
    event = {"$arrayElemAt": [{"$literal": list(events.values())}, {"$indexOfArray": [list(events), "$_id"]}]}
    first = min(one["at"] for one in events.values())
    carried = {
        "revision": {"$add": [{"$ifNull": ["$revision", 0]}, 1]},
        "pending_events": {"$concatArrays": [{"$ifNull": ["$pending_events", []]}, [event]]},
        "pending_since": {"$ifNull": ["$pending_since", first]},
    }
    return [{"$set": {**fields, **carried}}]


def placed(event: Document, collection: str, subject: Any, revision: int) -> Document:
    """Return an event as it is stored in `events`, where it waits for a number."""
    return {**event, "collection": collection, "subject": subject, "revision": revision, "waiting": True}


def log_event(event: Mapping[str, Any], collection: str, subject: Any) -> None:
    """Log an event at level debug. Ids of tokens are not part of it."""
    if not observing.shows_debug():
        return
    who = event["actor"]
    shown = {"id": subject} if isinstance(subject, int) else {}
    observing.log.debug(
        event["name"], actor=str(who.get("account", who["kind"])), ip=who.get("address", ""), of=collection, **shown
    )


class PendingEvents(Records, bounds=False):
    """The events that documents carry. Those of this process are noted, and moved without reading them again."""

    def __init__(self, database: Database, events: EventStore) -> None:
        super().__init__(database)
        self._events = events
        self._noted: dict[Place, dict[ObjectId, Document]] = {}
        self._noted_count = 0
        self.noted = asyncio.Event()

    def _collection(self, name: str) -> Collection:
        # Events of a change that a majority does not know are not moved: an election may take it back.
        return self._database.get_collection(name, read_concern=ReadConcern("majority"))

    def note(self, collection: str, document: Mapping[str, Any]) -> None:
        """Note the events of a document that was just written; `move` moves them."""
        carried = _carried(collection, document)
        if not carried:
            return
        log_event(carried[-1], collection, document["_id"])
        # A process that cannot move them leaves them to the sweep, which finds them in the documents.
        if self._noted_count < _MOST_NOTED:
            self._remember((collection, document["_id"]), carried)
            self.noted.set()

    def _remember(self, place: Place, events: Iterable[Document]) -> None:
        known = self._noted.setdefault(place, {})
        for event in events:
            if event["_id"] not in known:
                known[event["_id"]] = event
                self._noted_count += 1

    async def move(self) -> None:
        """Move the events that were noted. What could not be moved is noted again."""
        moving, self._noted = self._noted, {}
        self.noted.clear()
        try:
            await self._move({place: list(events.values()) for place, events in moving.items()})
        except BaseException:
            later, self._noted, self._noted_count = self._noted, {}, 0
            for noted in (moving, later):
                for place, events in noted.items():
                    self._remember(place, events.values())
            self.noted.set()
            raise
        self._noted_count -= sum(len(events) for events in moving.values())

    async def sweep(self, before: datetime) -> int:
        """Move the events that documents have carried since before that moment. Return the number of documents."""
        count = 0
        for collection in CARRIERS:
            query = {"pending_since": {"$lt": before}}
            while found := await self._collection(collection).find(query, EVENT_FIELDS).limit(_AT_ONCE).to_list(None):
                await self._move_all(collection, found)
                count += len(found)
        return count

    async def move_of(self, collection: str, subject: Any) -> bool:
        """Move the events of one document. Return whether it had any."""
        found = await self._collection(collection).find_one(
            {"_id": subject, "pending_since": {"$exists": True}}, EVENT_FIELDS
        )
        if found is None:
            return False
        await self._move_all(collection, [found])
        return True

    async def delete(self, collection: str, query: Mapping[str, Any]) -> int:
        """Delete the documents that match, after the events that they carry were moved. Return their number."""
        documents, deleted = self._collection(collection), 0
        while True:
            deleted += (await documents.delete_many({**query, **NONE_PENDING})).deleted_count
            left = await documents.find(dict(query), EVENT_FIELDS).limit(_AT_ONCE).to_list(None)
            if not left:
                return deleted
            await self._move_all(collection, left)

    async def _move_all(self, collection: str, documents: Sequence[Document]) -> None:
        await self._move({(collection, one["_id"]): _carried(collection, one) for one in documents}, is_read_again=True)

    async def _move(self, events: Mapping[Place, Sequence[Document]], *, is_read_again: bool = False) -> None:
        """Insert events, those of each document in their order, then remove them from the documents."""
        places = list(events)
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            failpoints.reach("events-before-move")
            await self._events.add([event for place in some for event in events[place]])
            failpoints.reach("events-moved")
            for collection in CARRIERS:
                subjects = [subject for name, subject in some if name == collection]
                if subjects:
                    moved = [event["_id"] for subject in subjects for event in events[collection, subject]]
                    await self._remove(collection, subjects, moved, is_read_again=is_read_again)

    async def _remove(
        self, collection: str, subjects: Sequence[Any], moved: Sequence[ObjectId], *, is_read_again: bool
    ) -> None:
        left = {"$filter": {"input": "$pending_events", "cond": {"$not": [{"$in": ["$$this._id", list(moved)]}]}}}
        first = {"$arrayElemAt": ["$pending_events.at", 0]}
        update: list[Document] = [
            {"$set": {"pending_events": {"$ifNull": [left, []]}}},
            {
                "$set": {
                    "pending_events": {"$cond": [{"$eq": ["$pending_events", []]}, "$$REMOVE", "$pending_events"]},
                    "pending_since": {"$ifNull": [first, "$$REMOVE"]},
                }
            },
        ]
        documents = self._collection(collection)
        if not is_read_again:
            # If this write is lost, the sweep finds its events again, and they are in `events` already.
            documents = documents.with_options(write_concern=WriteConcern(w=1))
        await documents.update_many({"_id": {"$in": list(subjects)}, "pending_since": {"$exists": True}}, update)

    async def counts(self) -> tuple[int, datetime | None]:
        """Return how many documents carry events, and since when the first of them has."""
        count, since = 0, []
        for name in CARRIERS:
            documents = self._collection(name)
            oldest = await documents.find_one({"pending_since": {"$exists": True}}, sort=[("pending_since", 1)])
            if oldest is not None:
                since.append(oldest["pending_since"])
                count += await documents.count_documents({"pending_since": {"$exists": True}})
        return count, min(since, default=None)


def _carried(collection: str, document: Mapping[str, Any]) -> list[Document]:
    """Return the events that a document carries, as they are stored in `events`."""
    events = document.get("pending_events", ())
    before = document.get("revision", 0) - len(events)
    return [placed(event, collection, document["_id"], before + place) for place, event in enumerate(events, 1)]
