"""Writes over many accounts, for commands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from flexiapi.model import Account, Actor
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.accounts import taken_by
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.documents import AccountDocuments
from flexiapi.store.trail import trace


class BulkAccounts(Records):
    """The account collection, for writes of many accounts."""

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[dict[str, Any]]",
        documents: AccountDocuments,
        ranges: AccountRanges,
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._ranges = ranges

    async def remove_api_keys(self, unused_since: datetime, actor: Actor) -> int:
        """Remove the API keys that were last used earlier. Return their number."""
        query = {"api_key.last_used_at": {"$lt": unused_since}}
        removed = (await self._accounts.update_many(query, {"$unset": {"api_key": ""}})).modified_count
        trace(actor, "accounts.api_keys_removed", count=removed)
        return removed

    async def put(self, accounts: Sequence[Account], actor: Actor) -> None:
        """Write accounts with their ids, replacing those with the same ids. Raises `IdentifierTaken`."""
        await self._ranges.announce([account.id for account in accounts])
        documents = [self._documents.encode(account) for account in accounts]
        try:
            await self._accounts.bulk_write(
                [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
            )
        except BulkWriteError as error:
            raise taken_by(duplicates(error)[0]) from error
        for account in accounts:
            actor.credentials_changed(account.id)
        trace(actor, "accounts.imported", count=len(accounts))
