"""The events in MongoDB, moved here from the documents that changed, and kept for a while."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from bson import Binary
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from flexiapi.errors import ChangesLost
from flexiapi.model import Actor, ActorKind, Event, EventSelection
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.driver import Database
from flexiapi.store.event_numbers import EventNumbers

_KEPT = {"_id": "events"}
_REMOVED_AT_ONCE = 1000

Document = dict[str, Any]


class EventStore(Records, bounds=False):
    """The `events` collection."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # A number that a majority has not acknowledged may be given to another event after an election.
        self._events = database.get_collection("events", read_concern=ReadConcern("majority"))
        self._meta = database["meta"]
        self.numbers = EventNumbers(database)

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

    async def before_first(self) -> int:
        """Return the number before the first event that is kept."""
        kept = await self._meta.find_one(_KEPT)
        return 0 if kept is None else int(kept["from"]) - 1

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
        """Raise `ChangesLost` if the event that follows the number does not exist although its number was given."""
        before_first = await self.before_first()
        if number < before_first:
            raise ChangesLost(f"the events {number + 1} to {before_first} are no longer kept")
        first, end = await self.numbers.batch()
        if number >= end:
            raise ChangesLost(
                f"the last event is number {end - 1}, not {number}: the database was restored or replaced"
            )
        # The events before the last batch have their numbers.
        if number + 1 < first and await self._events.find_one({"number": number + 1}, {"_id": 1}) is None:
            raise ChangesLost(f"the event {number + 1} is missing")

    async def beyond_gap(self, number: int) -> int:
        """Return the number to go on from after a `ChangesLost`: that before the next event, or the last one."""
        following = await self._events.find_one({"number": {"$gt": number}}, {"number": 1}, sort=[("number", 1)])
        return await self.numbers.last() if following is None else int(following["number"]) - 1

    async def newest(self, wanted: EventSelection, most: int, last: int) -> list[Event]:
        """Return the last `most` events that are wanted, of those up to the number `last`, in order."""
        query = {**_query(wanted), "number": {"$gt": 0, "$lte": last}}
        found = await self._events.find(query, sort=[("number", -1)], limit=most).to_list(None)
        return [_decoded(event) for event in reversed(found)]

    async def of_account(self, account_id: int, most: int) -> list[Event]:
        """Return the last `most` changes of an account, the latest first, also those without a number yet."""
        query = {"collection": "accounts", "subject": account_id}
        found = await self._events.find(query, sort=[("revision", -1)], limit=most).to_list(None)
        return [_decoded(event) for event in found]

    async def between(self, wanted: EventSelection, after: int, last: int) -> list[Event]:
        """Return the wanted events with numbers above `after`, up to `last`, in order."""
        query = {**_query(wanted), "number": {"$gt": after, "$lte": last}}
        return [_decoded(event) for event in await self._events.find(query, sort=[("number", 1)]).to_list(None)]

    async def naming(self, account_id: int, most: int) -> list[Event]:
        """Return the last `most` events of changes that were made to an account or by it, the newest first.

        Those without a number are included.
        """
        changed = {"collection": "accounts", "$or": [{"subject": account_id}, {"details.ids": account_id}]}
        query = {"$or": [changed, {"actor.account": account_id}]}
        found = await self._events.find(query, sort=[("at", -1)], limit=most).to_list(None)
        return [_decoded(event) for event in found]

    async def remove_older(self, moment: datetime) -> int:
        """Remove the numbered events that were made before. Return their number."""
        removed, at_once = 0, 1
        while True:
            scan = self._events.find({"number": {"$gt": 0}}, {"number": 1, "at": 1}).sort("number").limit(at_once)
            old = list(takewhile(lambda event: event["at"] < moment, await scan.to_list(None)))
            if not old:
                return removed
            last = int(old[-1]["number"])
            # Before the removal, so that a reader in the gap is told of it, and does not wait.
            await self._meta.update_one(_KEPT, {"$max": {"from": last + 1}}, upsert=True)
            removed += (await self._events.delete_many({"number": {"$gt": 0, "$lte": last}})).deleted_count
            at_once = _REMOVED_AT_ONCE

    async def counts(self) -> tuple[int, datetime | None]:
        """Return how many events have no number, and when the oldest of them was made."""
        oldest = await self._events.find_one({"waiting": True}, {"at": 1}, sort=[("at", 1)])
        unnumbered = 0 if oldest is None else await self._events.count_documents({"waiting": True})
        return unnumbered, None if oldest is None else oldest["at"]


def _query(wanted: EventSelection) -> Document:
    query: Document = {}
    if wanted.name is not None:
        parts = (re.escape(part) for part in wanted.name.split("*"))
        query["name"] = {"$regex": f"^{'.*'.join(parts)}$"}
    if wanted.account_id is not None:
        query |= {"collection": "accounts", "$or": [{"subject": wanted.account_id}, {"details.ids": wanted.account_id}]}
    if wanted.actor is not None:
        query |= _made_by(wanted.actor)
    return query


def _made_by(actor: str) -> Document:
    if actor.isdecimal():
        return {"actor.account": int(actor)}
    kind, _, key = actor.partition(":")
    if kind == ActorKind.KEY:
        return {"actor.key": int(key) if key else {"$exists": True}}
    return {"actor.kind": actor, "actor.key": {"$exists": False}}


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
            ActorKind.KEY if "key" in actor else ActorKind(actor["kind"]),
            actor.get("account"),
            actor.get("sign_in"),
            actor.get("address", ""),
            actor.get("agent", ""),
            key_id=actor.get("key"),
        ),
        details=document.get("details", {}),
    )
