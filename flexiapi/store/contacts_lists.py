"""Lists of contacts that several accounts share."""

from collections.abc import Sequence
from typing import Any

from flexiapi.model import Actor, ContactsList, Space
from flexiapi.store.counters import Counters
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords

Document = dict[str, Any]


class ContactsListStore(JournaledRecords):
    """The lists; the accounts refer to them. A list is of one space: without the field `space`, of the default one."""

    def __init__(self, database: Database, journal: Journal, counters: Counters) -> None:
        super().__init__(database, journal, "contacts_lists")
        self._accounts = database["accounts"]
        self._counters = counters

    async def all(self, space: Space) -> list[ContactsList]:
        """Return all lists of a space, by id."""
        found = await self._records.find({"space": space.stored}).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def by_id(self, list_id: int, space: Space) -> ContactsList | None:
        """Return the list of a space with the id."""
        document = await self._records.find_one({"_id": list_id, "space": space.stored})
        return None if document is None else _decoded(document)

    async def by_ids(self, list_ids: Sequence[int], space: Space) -> list[ContactsList]:
        """Return those lists of a space that have one of the ids, by id."""
        if not list_ids:
            return []
        query = {"_id": {"$in": list(list_ids)}, "space": space.stored}
        found = await self._records.find(query).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def contact_ids(self, list_ids: Sequence[int]) -> set[int]:
        """Return the ids of all contacts on these lists."""
        if not list_ids:
            return set()
        found = await self._records.find({"_id": {"$in": list(list_ids)}}, {"contacts": 1}).to_list(None)
        return {contact_id for document in found for contact_id in document.get("contacts", ())}

    async def any_has(self, list_ids: Sequence[int], contact_id: int) -> bool:
        """Return True if the contact is on any of these lists."""
        query = {"_id": {"$in": list(list_ids)}, "contacts": contact_id}
        return bool(list_ids) and await self._records.find_one(query, {"_id": 1}) is not None

    async def add(self, title: str, description: str, actor: Actor) -> ContactsList:
        """Make an empty list."""
        document: Document = {
            "_id": await self._counters.next("contacts_lists"),
            "title": title,
            "description": description,
        }
        if actor.stored_space is not None:
            document["space"] = actor.stored_space
        await self._insert(document, actor, "contacts_list.created")
        return _decoded(document)

    async def change(self, list_id: int, title: str, description: str, actor: Actor) -> ContactsList | None:
        """Give a list other texts."""
        texts = {"title": title, "description": description}
        query = {"_id": list_id, "space": actor.stored_space}
        document = await self._change(query, {"$set": texts}, actor, "contacts_list.changed")
        return None if document is None else _decoded(document)

    async def remove(self, list_id: int, actor: Actor) -> bool:
        """Remove a list, from all accounts too; whether it was there."""
        document = await self._records.find_one({"_id": list_id}, {"space": 1})
        if document is not None and document.get("space") != actor.stored_space:
            return False
        removed = await self._remove(list_id, actor, "contacts_list.removed")
        await self._accounts.update_many({"contacts_lists": list_id}, {"$pull": {"contacts_lists": list_id}})
        return removed

    async def add_contact(self, list_id: int, contact_id: int, actor: Actor) -> bool:
        """Add a contact to a list. Return False if it was on it."""
        query = {"_id": list_id, "space": actor.stored_space, "contacts": {"$ne": contact_id}}
        change = {"$push": {"contacts": contact_id}}
        details = {"contact": contact_id}
        return await self._change(query, change, actor, "contacts_list.contact_added", details) is not None

    async def remove_contact(self, list_id: int, contact_id: int, actor: Actor) -> bool:
        """Remove a contact from a list. Return False if it was not on it."""
        query = {"_id": list_id, "space": actor.stored_space, "contacts": contact_id}
        change = {"$pull": {"contacts": contact_id}}
        details = {"contact": contact_id}
        return await self._change(query, change, actor, "contacts_list.contact_removed", details) is not None

    async def forget_contact(self, contact_id: int) -> None:
        """Remove a removed account from every list."""
        await self._records.update_many({"contacts": contact_id}, {"$pull": {"contacts": contact_id}})


def _decoded(document: Document) -> ContactsList:
    return ContactsList(
        document["_id"], document["title"], document["description"], tuple(document.get("contacts", ()))
    )
