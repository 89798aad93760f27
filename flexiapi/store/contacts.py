"""Accounts as contacts, without private fields."""

from collections.abc import Sequence

from flexiapi.model import Account, Scope
from flexiapi.store.account_lookups import within
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments
from flexiapi.store.driver import Database

# Views of contacts never show these, and opening sealed passwords takes time.
_PRIVATE = {"passwords": 0, "api_key": 0, "external_account": 0, "confirmation": 0, "identifiers": 0}


class ContactStore(Records):
    """The account collection without private fields."""

    def __init__(self, database: Database, documents: AccountDocuments) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents

    async def by_ids(self, account_ids: Sequence[int], scope: Scope) -> list[Account]:
        """Return the accounts of the scope with these ids, by id, without passwords, keys and codes."""
        if not account_ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(account_ids)}, **within(scope)}, _PRIVATE).sort("_id")
        return [self._documents.decode(document) for document in await cursor.to_list(None)]
