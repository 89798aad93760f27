"""Account types: a few records that accounts refer to by id."""

from collections.abc import Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from flexiapi.model import AccountType
from flexiapi.store.accounts import IdentifierTaken
from flexiapi.store.coalesce import CoalescedReads
from flexiapi.store.connection import Records
from flexiapi.store.counters import Counters

Document = dict[str, Any]


class AccountTypeStore(Records):
    """The types, with unique keys."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]", counters: Counters) -> None:
        super().__init__(database)
        self._types = database["account_types"]
        self._accounts = database["accounts"]
        self._counters = counters
        self._reads = CoalescedReads[int, Document](self._read)

    async def _read(self, ids: Sequence[int]) -> dict[int, Document]:
        return {document["_id"]: document for document in await self._types.find({"_id": {"$in": ids}}).to_list(None)}

    async def all(self) -> list[AccountType]:
        """Return all types, by id."""
        return [_decoded(document) for document in await self._types.find().sort("_id").to_list(None)]

    async def by_id(self, type_id: int) -> AccountType | None:
        """Return the type with the id."""
        document = await self._reads.get(type_id)
        return None if document is None else _decoded(document)

    async def by_key(self, key: str) -> AccountType | None:
        """Return the type with the key."""
        document = await self._types.find_one({"key": key})
        return None if document is None else _decoded(document)

    async def by_ids(self, type_ids: Sequence[int]) -> dict[int, AccountType]:
        """Return the existing types with these ids."""
        if not type_ids:
            return {}
        found = await self._types.find({"_id": {"$in": list(type_ids)}}).to_list(None)
        return {document["_id"]: _decoded(document) for document in found}

    async def add(self, key: str) -> AccountType:
        """Add a type. Raises `IdentifierTaken`."""
        document = {"_id": await self._counters.next("account_types"), "key": key}
        try:
            await self._types.insert_one(document)
        except DuplicateKeyError as error:
            raise IdentifierTaken(key) from error
        return _decoded(document)

    async def rename(self, type_id: int, key: str) -> AccountType | None:
        """Change the key of a type. Raises `IdentifierTaken`."""
        try:
            document = await self._types.find_one_and_update(
                {"_id": type_id}, {"$set": {"key": key}}, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError as error:
            raise IdentifierTaken(key) from error
        return None if document is None else _decoded(document)

    async def remove(self, type_id: int) -> bool:
        """Remove a type, also from all accounts. Return False if it does not exist."""
        removed = (await self._types.delete_one({"_id": type_id})).deleted_count == 1
        await self._accounts.update_many({"types": type_id}, {"$pull": {"types": type_id}})
        return removed


def _decoded(document: Document) -> AccountType:
    return AccountType(document["_id"], document["key"])
