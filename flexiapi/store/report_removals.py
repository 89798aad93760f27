"""Removal of what the SIP server reported: with its account, by age, and by the database."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from flexiapi.model import ReportKind
from flexiapi.store.connection import Records
from flexiapi.store.documents import Document
from flexiapi.store.driver import Database

_AT_ONCE = 1000
_OTHER_OPTIONS = 85
_TTL_NAME = "reported_at_1"


class ReportRemovals(Records, bounds=False):
    """Removals, in batches: one of many records may take longer than an operation of a request."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._by_kind = {kind: database[f"reported_{kind}"] for kind in ReportKind}

    async def keep_for(self, life: timedelta) -> None:
        """Let the database remove records of this age. Several processes may do it at once."""
        seconds = int(life.total_seconds())
        for collection in self._by_kind.values():
            try:
                await collection.create_index([("reported_at", ASCENDING)], name=_TTL_NAME, expireAfterSeconds=seconds)
            except OperationFailure as error:
                if error.code != _OTHER_OPTIONS:
                    raise
                index = {"name": _TTL_NAME, "expireAfterSeconds": seconds}
                await self._database.command("collMod", collection.name, index=index)

    async def forget(self, account_id: int) -> None:
        """Remove the calls of an account and what it sent, and it from what others sent to it."""
        mine = {"accounts": account_id}
        await self._remove(ReportKind.CALL, mine)
        await self._remove(ReportKind.MESSAGE, {**mine, "sender": account_id})
        for kind in (ReportKind.MESSAGE, ReportKind.CONFERENCE):
            await self._by_kind[kind].update_many(mine, [{"$set": _without(account_id)}])

    async def forget_missing(self, account_ids: Collection[int]) -> None:
        """Do the same for those of the accounts that no longer exist."""
        if not account_ids:
            return
        ids = sorted(account_ids)
        found = self._accounts.find({"_id": {"$in": ids}}, {"_id": 1}, batch_size=len(ids) + 1)
        present = {document["_id"] for document in await found.to_list(None)}
        for account_id in ids:
            if account_id not in present:
                await self.forget(account_id)

    async def count_before(self, moment: datetime) -> int:
        """Return the number of records that were first reported earlier."""
        query = {"reported_at": {"$lt": moment}}
        return sum([await each.count_documents(query) for each in self._by_kind.values()])

    async def clear_before(self, moment: datetime) -> int:
        """Remove the records that were first reported earlier. Return their number."""
        return sum([await self._remove(kind, {"reported_at": {"$lt": moment}}) for kind in ReportKind])

    async def _remove(self, kind: ReportKind, query: Document) -> int:
        collection, count = self._by_kind[kind], 0
        while found := await collection.find(query, {"_id": 1}).limit(_AT_ONCE).to_list(None):
            ids = [document["_id"] for document in found]
            count += (await collection.delete_many({"_id": {"$in": ids}})).deleted_count
        return count


def _without(account_id: int) -> Document:
    """Return the change of a record that names an account no longer."""
    stays: Any = {"$ne": ["$$this.account", account_id]}
    return {
        "devices": {"$filter": {"input": "$devices", "cond": stays}},
        "receivers": {"$filter": {"input": "$receivers", "cond": stays}},
        "accounts": {"$setDifference": ["$accounts", [account_id]]},
    }
