"""Account types: a few records that accounts refer to by id."""

from collections.abc import Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.model import AccountType, Actor, Space
from flexiapi.store.accounts import IdentifierTaken
from flexiapi.store.counters import Counters
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import WITHOUT_EVENTS

Document = dict[str, Any]


class AccountTypeStore(JournaledRecords):
    """The types. Each is of one space (without the field `space`, of the default one), and its key is unique there."""

    def __init__(self, database: Database, journal: Journal, counters: Counters) -> None:
        super().__init__(database, journal, "account_types")
        self._accounts = database["accounts"]
        self._counters = counters
        self._reads = CoalescedReads[int, Document](self._read)

    async def _read(self, ids: Sequence[int]) -> dict[int, Document]:
        return {
            document["_id"]: document
            for document in await self._records.find({"_id": {"$in": ids}}, WITHOUT_EVENTS).to_list(None)
        }

    async def all(self, space: Space) -> list[AccountType]:
        """Return all types of a space, by id."""
        found = await self._records.find({"space": space.stored}).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def by_id(self, type_id: int, space: Space) -> AccountType | None:
        """Return the type of a space with the id."""
        document = await self._reads.get(type_id)
        return None if document is None or document.get("space") != space.stored else _decoded(document)

    async def by_key(self, key: str, space: Space) -> AccountType | None:
        """Return the type of a space with the key."""
        document = await self._records.find_one({"key": f"{key}{space.suffix}"})
        return None if document is None else _decoded(document)

    async def by_ids(self, type_ids: Sequence[int]) -> dict[int, AccountType]:
        """Return the existing types with these ids."""
        if not type_ids:
            return {}
        found = await self._records.find({"_id": {"$in": list(type_ids)}}).to_list(None)
        return {document["_id"]: _decoded(document) for document in found}

    async def add(self, key: str, actor: Actor) -> AccountType:
        """Add a type. Raises `IdentifierTaken`."""
        number = await self._counters.next("account_types")
        document: Document = {"_id": number, "key": f"{key}{actor.key_suffix}"}
        if actor.stored_space is not None:
            document["space"] = actor.stored_space
        try:
            await self._insert(document, actor, "type.created")
        except DuplicateKeyError as error:
            raise IdentifierTaken(key) from error
        return _decoded(document)

    async def rename(self, type_id: int, key: str, actor: Actor) -> AccountType | None:
        """Give a type another key. Raises `IdentifierTaken`."""
        try:
            query, change = (
                {"_id": type_id, "space": actor.stored_space},
                {"$set": {"key": f"{key}{actor.key_suffix}"}},
            )
            document = await self._change(query, change, actor, "type.renamed")
        except DuplicateKeyError as error:
            raise IdentifierTaken(key) from error
        return None if document is None else _decoded(document)

    async def remove(self, type_id: int, actor: Actor) -> bool:
        """Remove a type, from all accounts too; whether it was there."""
        document = await self._reads.get(type_id)
        if document is not None and document.get("space") != actor.stored_space:
            return False
        removed = await self._remove(type_id, actor, "type.removed")
        await self._accounts.update_many({"types": type_id}, {"$pull": {"types": type_id}})
        return removed


def _decoded(document: Document) -> AccountType:
    # The key ends with the name of the space, because an index makes it unique over all spaces.
    space = document.get("space")
    return AccountType(document["_id"], document["key"].removesuffix(f";space={space}"), space)
