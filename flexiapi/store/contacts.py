"""Who is whose contact: ids in the account that has them."""

from collections.abc import Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from flexiapi.model import Account
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments

# Nobody sees these of a contact, and opening sealed passwords takes time.
_PRIVATE = {"passwords": 0, "api_key": 0, "external_account": 0, "confirmation": 0, "identifiers": 0}


class ContactStore(Records):
    """The contacts of accounts, one-directional."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]", documents: AccountDocuments) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents

    async def by_ids(self, account_ids: Sequence[int]) -> list[Account]:
        """The accounts with these ids that exist, by id, as contacts see them: without passwords and codes."""
        if not account_ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(account_ids)}}, _PRIVATE).sort("_id")
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def add(self, account_id: int, contact_id: int) -> bool:
        """Make an account a contact of another; whether it was none before."""
        query = {"_id": account_id, "contacts": {"$ne": contact_id}}
        return (await self._accounts.update_one(query, {"$push": {"contacts": contact_id}})).modified_count == 1

    async def remove(self, account_id: int, contact_id: int) -> bool:
        """End that; whether it was one."""
        query = {"_id": account_id, "contacts": contact_id}
        return (await self._accounts.update_one(query, {"$pull": {"contacts": contact_id}})).modified_count == 1

    async def attach_list(self, account_id: int, list_id: int) -> bool:
        """Give an account the contacts of a list; whether it did not have them before."""
        query = {"_id": account_id, "contacts_lists": {"$ne": list_id}}
        return (await self._accounts.update_one(query, {"$push": {"contacts_lists": list_id}})).modified_count == 1

    async def detach_list(self, account_id: int, list_id: int) -> bool:
        """Take them back; whether it had them."""
        query = {"_id": account_id, "contacts_lists": list_id}
        return (await self._accounts.update_one(query, {"$pull": {"contacts_lists": list_id}})).modified_count == 1
