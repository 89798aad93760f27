"""The numbers of events: given once, without a hole, in batches.

The document `batch` has the number of its first event and the ids of its events in order. A process that numbers first
gives the events of that batch their numbers, for a crash may have left some without. Then it looks for events without
a number, and replaces the batch by the next one, if it is still the same. So of two processes that number at the same
time only one succeeds, even if the other one has stood still for days.

Reads are of the primary, not of a majority: after an election, a majority may not yet know what was numbered. The
replacement of the batch is acknowledged by a majority, and with it all that was read before.
"""

import contextlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from flexiapi import failpoints
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

_BATCH = {"_id": "batch"}

Document = dict[str, Any]


class EventNumbers(Records, bounds=False):
    """The numbering of the events that wait for it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._events = database["events"]
        self._batches = database["event_batches"]
        self._durable_batches = database.get_collection("event_batches", read_concern=ReadConcern("majority"))
        # First number and length of the last batch that this process has completed.
        self._known: tuple[int, int] | None = None

    @property
    def completed(self) -> int:
        """The last number that this process knows to be given to its event; 0 before it has numbered."""
        return 0 if self._known is None else sum(self._known) - 1

    async def batch(self) -> tuple[int, int]:
        """Return the first number of the last batch, which may be incomplete, and the number after its last one."""
        found = await self._durable_batches.find_one(_BATCH)
        return (1, 1) if found is None else (found["first"], found["first"] + len(found["ids"]))

    async def last(self) -> int:
        """Return the last number; 0 before the first."""
        return (await self.batch())[1] - 1

    async def give(self, most: int) -> int:
        """Give numbers to the first `most` events without one, or a few more. Return how many got one.

        The events of a record are numbered in the order of its changes.
        """
        while True:
            first, length = self._known or await self._complete_last()
            self._known = first, length
            ids = await self._waiting(most)
            if not ids:
                return 0
            self._known = None  # until the next batch is completed
            following = {"first": first + length, "ids": ids}
            same = {**_BATCH, "first": first, "ids": {"$size": length}}
            replaced = await self._batches.replace_one(same, following)
            if replaced.matched_count:
                failpoints.reach("numbers-written")
                await self._complete(following)
                self._known = first + length, len(ids)
                return len(ids)

    async def _complete_last(self) -> tuple[int, int]:
        """Complete the last batch. Return its first number and its length."""
        batch = await self._batches.find_one(_BATCH)
        while batch is None:
            with contextlib.suppress(DuplicateKeyError):
                await self._batches.insert_one({**_BATCH, "first": 1, "ids": []})
            batch = await self._batches.find_one(_BATCH)
        await self._complete(batch)
        return batch["first"], len(batch["ids"])

    async def _complete(self, batch: Document) -> None:
        """Give the events of a batch their numbers, except those that have them."""
        number = {"$add": [batch["first"], {"$indexOfArray": [batch["ids"], "$_id"]}]}
        await self._events.update_many(
            {"_id": {"$in": batch["ids"]}, "waiting": True}, [{"$set": {"number": number, "waiting": "$$REMOVE"}}]
        )

    async def _waiting(self, most: int) -> list[ObjectId]:
        """Return the ids of events without a number, those of each record in the order of its changes.

        A scan may pass the place of an event before it is inserted, and find a later event of the same record. So the
        scan only tells which changes of which records to look for: all before them have been inserted by then.
        """
        fields = {"collection": 1, "subject": 1, "revision": 1}
        newest: dict[tuple[str, Any], int] = {}
        scan = self._events.find({"waiting": True}, fields, batch_size=most + 1).sort("at").limit(most)
        for event in await scan.to_list(None):
            record = event["collection"], event["subject"]
            newest[record] = max(event["revision"], newest.get(record, 0))
        if not newest:
            return []
        query = {"waiting": True, "subject": {"$in": list({subject for _, subject in newest})}}
        found = await self._events.find(query, fields, batch_size=most + 1).sort("at").to_list(None)
        ready = [one for one in found if one["revision"] <= newest.get((one["collection"], one["subject"]), -1)]
        return [event["_id"] for event in _by_record(ready)]


def _by_record(events: Sequence[Document]) -> Iterable[Document]:
    """Order the events of each record by revision, and leave each record the places that its events have."""
    queues: dict[tuple[str, Any], deque[Document]] = {}
    for event in sorted(events, key=lambda event: int(event["revision"])):
        queues.setdefault((event["collection"], event["subject"]), deque()).append(event)
    return [queues[event["collection"], event["subject"]].popleft() for event in events]
