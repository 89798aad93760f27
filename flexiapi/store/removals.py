"""Removals of accounts in progress, recorded so that one interrupted by a crash is finished later."""

from dataclasses import dataclass, field

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database


@dataclass(frozen=True, slots=True)
class Removal:
    """An account that is being removed, and the hash of the token that it was created with."""

    account_id: int
    creation_token_hash: bytes | None = field(default=None, repr=False)


class RemovalStore(Records):
    """The removals in progress, one per account."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._removals = database["removals"]
        self._accounts = database["accounts"]

    async def begin(self, removal: Removal) -> None:
        """Record that the account is being removed."""
        document = {"_id": removal.account_id, "creation_token": removal.creation_token_hash}
        await self._removals.replace_one({"_id": removal.account_id}, document, upsert=True)

    async def end(self, account_id: int) -> None:
        """Delete the record, when nothing refers to the account any more."""
        await self._removals.delete_one({"_id": account_id})

    async def unfinished(self) -> list[Removal]:
        """Return the removals whose account no longer exists."""
        noted = {document["_id"]: document for document in await self._removals.find().to_list(None)}
        if not noted:
            return []
        present = await self._accounts.find({"_id": {"$in": list(noted)}}, {"_id": 1}).to_list(None)
        gone = noted.keys() - {document["_id"] for document in present}
        return [Removal(account_id, noted[account_id].get("creation_token")) for account_id in sorted(gone)]
