"""The numbers of events: given once, without a hole, in batches.

A batch is first written as one document, with its first number as `_id` and the ids of its events in order; then the
events get their numbers from it. So of two processes that number at the same time only one writes a batch, and a batch
that a crash interrupted is completed by the next process before it looks for further events. The last batch stays, so
that numbers go on from it also when all events were removed.
"""

from collections.abc import Iterable
from typing import Any

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from flexiapi import failpoints
from flexiapi.store.connection import Records

Document = dict[str, Any]


class EventNumbers(Records):
    """The numbering of the events that wait for it."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        # A batch that a majority has not acknowledged may be another one after an election.
        durable = ReadConcern("majority")
        self._events = database.get_collection("events", read_concern=durable)
        self._batches = database.get_collection("event_batches", read_concern=durable)
        # The next number, if this process has completed all batches before it.
        self._next: int | None = None

    async def last(self) -> int:
        """Return the last number; 0 before the first."""
        batch = await self._last_batch()
        return 0 if batch is None else int(batch["_id"]) + len(batch["ids"]) - 1

    async def give(self, most: int) -> int:
        """Give numbers to the first `most` events without one, or a few more. Return how many got one.

        The events of a record are numbered in the order of its changes.
        """
        while True:
            following = self._next if self._next is not None else await self._complete_last()
            self._next = None  # until this batch is completed
            ids = await self._waiting(most)
            if ids:
                batch = {"_id": following, "ids": ids}
                try:
                    await self._batches.insert_one(batch)
                except DuplicateKeyError:
                    continue  # another process numbers too
                failpoints.reach("numbers-written")
                await self._complete(batch)
            self._next = following + len(ids)
            return len(ids)

    async def _complete_last(self) -> int:
        """Complete the last batch, which a crash may have interrupted, and return the number after it."""
        batch = await self._last_batch()
        if batch is None:
            return 1
        await self._complete(batch)
        return int(batch["_id"]) + len(batch["ids"])

    async def _complete(self, batch: Document) -> None:
        """Give the events of a batch their numbers, except those that have them."""
        number = {"$add": [batch["_id"], {"$indexOfArray": [batch["ids"], "$_id"]}]}
        await self._events.update_many(
            {"_id": {"$in": batch["ids"]}, "waiting": True}, [{"$set": {"number": number, "waiting": "$$REMOVE"}}]
        )

    async def _last_batch(self) -> Document | None:
        return await self._batches.find_one(sort=[("_id", -1)])

    async def _waiting(self, most: int) -> list[ObjectId]:
        """Return the ids of events without a number, those of each record in the order of its changes.

        A scan may pass the place of an event before it is inserted, and find a later event of the same record. So the
        scan only tells which changes of which records to look for: all before them have been inserted by then.
        """
        fields = {"collection": 1, "subject": 1, "revision": 1}
        newest: dict[tuple[str, Any], int] = {}
        scan = self._events.find({"waiting": True}, fields).sort("at").limit(most)
        for event in await scan.to_list(None):
            record = event["collection"], event["subject"]
            newest[record] = max(event["revision"], newest.get(record, 0))
        if not newest:
            return []
        query = {"waiting": True, "subject": {"$in": list({subject for _, subject in newest})}}
        found = await self._events.find(query, fields).sort("at").to_list(None)
        ready = [one for one in found if one["revision"] <= newest.get((one["collection"], one["subject"]), -1)]
        return [event["_id"] for event in _by_record(ready)]

    async def forget_batches(self) -> None:
        """Remove all batches but the last, before which all are completed."""
        batch = await self._last_batch()
        if batch is not None:
            await self._batches.delete_many({"_id": {"$lt": batch["_id"]}})


def _by_record(events: Iterable[Document]) -> list[Document]:
    """Order the events of each record by revision, and leave each record the places that its events have."""
    queues: dict[tuple[str, Any], list[Document]] = {}
    places = [(event["collection"], event["subject"]) for event in events]
    for place, event in zip(places, events, strict=True):
        queues.setdefault(place, []).append(event)
    for queue in queues.values():
        queue.sort(key=lambda event: -int(event["revision"]))
    return [queues[place].pop() for place in places]
