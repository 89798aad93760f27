"""Writes over many accounts, for commands. Each batch is one event, which names the accounts."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from flexiapi import failpoints
from flexiapi.model import Account, Actor
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.accounts import taken_by
from flexiapi.store.connection import duplicates
from flexiapi.store.documents import AccountDocuments
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords

_AT_ONCE = 500

Document = dict[str, Any]


class BulkAccounts(JournaledRecords, bounds=False):
    """The account collection, for writes of many accounts."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        documents: AccountDocuments,
        ranges: AccountRanges,
    ) -> None:
        super().__init__(database, journal, "accounts")
        self._documents = documents
        self._ranges = ranges

    async def remove_api_keys(self, unused_since: datetime, actor: Actor) -> int:
        """Remove the API keys that were last used earlier. Return their number."""
        query = {"api_key.last_used_at": {"$lt": unused_since}}
        count = 0
        while found := await self._records.find(query, {"_id": 1}).limit(_AT_ONCE).to_list(None):
            ids = [document["_id"] for document in found]
            announced = await self._announce(actor, "accounts.api_keys_removed", ids)
            change = {"$unset": {"api_key": ""}}
            count += (await self._records.update_many({"_id": {"$in": ids}, **query}, change)).modified_count
            await self._journal.announcements.tell(announced)
        return count

    async def put(self, accounts: Sequence[Account], actor: Actor) -> None:
        """Write accounts with their ids, replacing those with the same ids. Raises `IdentifierTaken`."""
        ids = [account.id for account in accounts]
        await self._ranges.announce(ids)
        await self._journal.announcements.tell_removals(self._name, ids)
        announced = await self._announce(actor, "accounts.imported", ids)
        failpoints.reach("batch-announced")
        writes = [_replacing(self._documents.encode(account)) for account in accounts]
        try:
            await self._records.bulk_write(writes)
        except BulkWriteError as error:
            # The accounts before the one whose name is taken are written.
            await self._journal.announcements.tell(announced)
            raise taken_by(duplicates(error)[0]) from error
        failpoints.reach("batch-written")
        await self._journal.announcements.tell(announced)
        for account in accounts:
            actor.credentials_changed(account.id)

    async def _announce(self, actor: Actor, event: str, ids: Sequence[int]) -> Document:
        return await self._journal.announcements.announce(self._name, actor, event, {"ids": list(ids)})


def _replacing(document: Document) -> UpdateOne:
    """Return the write of a document in place of the one with its id, which keeps revision and events that it has.

    An id may be used again after a removal. The time, in milliseconds, is a revision above all that it had before.
    """
    is_new = {"$eq": [{"$type": "$identifiers"}, "missing"]}
    kept = {
        "revision": {"$cond": [is_new, int(time.time() * 1000), {"$ifNull": ["$revision", 0]}]},
        "pending_events": "$pending_events",
        "pending_since": "$pending_since",
    }
    replacement = {"$mergeObjects": [{"$literal": document}, kept]}
    return UpdateOne({"_id": document["_id"]}, [{"$replaceWith": replacement}], upsert=True)
