"""Writes over many accounts, for commands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from flexiapi.model import Account
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.accounts import AccountStore, taken_by
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.documents import AccountDocuments


class BulkAccounts(Records):
    """The accounts, many at once."""

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[dict[str, Any]]",
        documents: AccountDocuments,
        ranges: AccountRanges,
        one_by_one: AccountStore,
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._ranges = ranges
        self._one_by_one = one_by_one

    async def remove_api_keys(self, unused_since: datetime) -> int:
        """Take away the keys that were last used before; how many."""
        query = {"api_key.last_used_at": {"$lt": unused_since}}
        return (await self._accounts.update_many(query, {"$unset": {"api_key": ""}})).modified_count

    async def put(self, accounts: Sequence[Account]) -> None:
        """Write accounts under the ids that they have, in place of those with the same. Raises `IdentifierTaken`."""
        await self._ranges.announce([account.id for account in accounts])
        documents = [self._documents.encode(account) for account in accounts]
        try:
            await self._accounts.bulk_write(
                [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
            )
        except BulkWriteError as error:
            raise taken_by(duplicates(error)[0]) from error
        for account in accounts:
            self._one_by_one.on_sign_in_change(account.id)
