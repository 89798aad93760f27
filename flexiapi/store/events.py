"""Events in MongoDB: moved here from the documents that changed, numbered, and kept for a while.

The numbers have no holes and are given once, although two processes may number at the same time: a process reads the
last number before it reads the events without one, gives the numbers in order, and stops at the first that another
process has given, which the unique index on `number` tells.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bson import Binary, ObjectId
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from flexiapi.errors import ChangesLost
from flexiapi.model import Actor, ActorKind, Event, EventSelection
from flexiapi.store.connection import Records, duplicates

Document = dict[str, Any]


class EventStore(Records):
    """The `events` collection."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        # A number that a majority has not acknowledged may be given to another event after an election.
        self._events = database.get_collection("events", read_concern=ReadConcern("majority"))

    async def add(self, documents: Sequence[Document]) -> None:
        """Insert events in this order, except those that are there already."""
        remaining = list(documents)
        while remaining:
            try:
                await self._events.insert_many(remaining, ordered=True)
            except BulkWriteError as error:
                remaining = remaining[duplicates(error)[0]["index"] + 1 :]
            else:
                return

    async def number(self, most: int) -> int:
        """Give numbers to the first `most` events without one, or a few more. Return how many got one.

        The events of a record are numbered in the order of its changes.
        """
        last = await self.last()
        waiting = await self._waiting(most)
        updates = [
            UpdateOne(
                {"_id": event_id, "number": {"$exists": False}}, {"$set": {"number": number}, "$unset": {"waiting": ""}}
            )
            for number, event_id in enumerate(waiting, last + 1)
        ]
        if not updates:
            return 0
        try:
            return (await self._events.bulk_write(updates, ordered=True)).modified_count
        except BulkWriteError as error:
            duplicates(error)  # another process numbers too; it goes on from here
            return int(error.details["nModified"])

    async def _waiting(self, most: int) -> list[ObjectId]:
        """Return the ids of events without a number, those of each record in the order of its changes.

        A scan may pass the place of an event before it is inserted, and find a later event of the same record. So the
        scan only tells which changes of which records to look for: all before them have been inserted by then.
        """
        fields = {"collection": 1, "subject": 1, "revision": 1}
        newest: dict[tuple[str, Any], int] = {}
        scan = self._events.find({"waiting": True}, fields).sort("at").limit(most)
        for event in await scan.to_list(None):
            record = event["collection"], event.get("subject")
            newest[record] = max(event["revision"], newest.get(record, 0))
        if not newest:
            return []
        subjects = list({subject for _, subject in newest})
        query = {"waiting": True, "subject": {"$in": subjects}}
        found = await self._events.find(query, fields).sort("at").to_list(None)
        ready = [one for one in found if one["revision"] <= newest.get((one["collection"], one.get("subject")), -1)]
        return [event["_id"] for event in _by_record(ready)]

    async def last(self) -> int:
        """Return the last number; 0 before the first."""
        found = await self._events.find_one({"number": {"$gt": 0}}, {"number": 1}, sort=[("number", -1)])
        return 0 if found is None else int(found["number"])

    async def before_first(self) -> int:
        """Return the number before the first event that is kept."""
        found = await self._events.find_one({"number": {"$gt": 0}}, {"number": 1}, sort=[("number", 1)])
        return 0 if found is None else int(found["number"]) - 1

    async def after(self, number: int, most: int) -> list[Event]:
        """Return up to `most` events with the numbers that follow, in order and without a hole.

        Raises `ChangesLost` if some of them are no longer kept, or if the number was never given.
        """
        query = {"number": {"$gt": number}}
        found = await self._events.find(query, sort=[("number", 1)], limit=most, batch_size=most + 1).to_list(None)
        events: list[Event] = []
        for event in found:
            if event["number"] != number + 1 + len(events):
                break
            events.append(_decoded(event))
        if not events:
            await self._check(number)
        return events

    async def _check(self, number: int) -> None:
        """Raise `ChangesLost` if no event can follow the number."""
        following = await self._events.find_one({"number": {"$gt": number}}, {"number": 1}, sort=[("number", 1)])
        if following is not None:
            if following["number"] > number + 1:
                raise ChangesLost(f"the events {number + 1} to {following['number'] - 1} are no longer kept")
        elif (last := await self.last()) < number:
            raise ChangesLost(f"the last event is number {last}, not {number}")

    async def newest(self, wanted: EventSelection, most: int) -> list[Event]:
        """Return the last `most` numbered events that are wanted, in order."""
        query = {**_query(wanted), "number": {"$gt": 0}}
        found = await self._events.find(query, sort=[("number", -1)], limit=most).to_list(None)
        return [_decoded(event) for event in reversed(found)]

    async def between(self, wanted: EventSelection, after: int, last: int) -> list[Event]:
        """Return the wanted events with numbers above `after`, up to `last`, in order."""
        query = {**_query(wanted), "number": {"$gt": after, "$lte": last}}
        return [_decoded(event) for event in await self._events.find(query, sort=[("number", 1)]).to_list(None)]

    async def remove_older(self, moment: datetime) -> int:
        """Remove the events that were made before, except the last one. Return their number."""
        query = {"at": {"$lt": moment}, "number": {"$gt": 0, "$lt": await self.last()}}
        return (await self._events.delete_many(query)).deleted_count

    async def counts(self) -> tuple[int, datetime | None]:
        """Return how many events have no number, and when the oldest of them was made."""
        oldest = await self._events.find_one({"waiting": True}, {"at": 1}, sort=[("at", 1)])
        unnumbered = 0 if oldest is None else await self._events.count_documents({"waiting": True})
        return unnumbered, None if oldest is None else oldest["at"]


def _by_record(events: Iterable[Document]) -> list[Document]:
    """Order the events of each record by revision, and leave each record the places that its events have."""
    queues: dict[tuple[str, Any], list[Document]] = {}
    places = [(event["collection"], event.get("subject")) for event in events]
    for place, event in zip(places, events, strict=True):
        queues.setdefault(place, []).append(event)
    for queue in queues.values():
        queue.sort(key=lambda event: -int(event["revision"]))
    return [queues[place].pop() for place in places]


def _query(wanted: EventSelection) -> Document:
    query: Document = {}
    if wanted.name is not None:
        parts = (re.escape(part) for part in wanted.name.split("*"))
        query["name"] = {"$regex": f"^{'.*'.join(parts)}$"}
    if wanted.account_id is not None:
        query |= {"collection": "accounts", "$or": [{"subject": wanted.account_id}, {"details.ids": wanted.account_id}]}
    if wanted.actor is not None:
        is_id = wanted.actor.isdecimal()
        query |= {"actor.account": int(wanted.actor)} if is_id else {"actor.kind": wanted.actor}
    return query


def _decoded(document: Document) -> Event:
    actor = document["actor"]
    subject = document.get("subject")
    return Event(
        id=str(document["_id"]),
        number=document.get("number"),
        name=document["name"],
        at=document["at"],
        collection=document["collection"],
        subject=subject.hex() if isinstance(subject, bytes | Binary) else subject,
        revision=document["revision"],
        actor=Actor(
            ActorKind(actor["kind"]),
            actor.get("account"),
            actor.get("sign_in"),
            actor.get("address", ""),
            actor.get("agent", ""),
        ),
        details=document.get("details", {}),
    )
