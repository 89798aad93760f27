"""The last fetches of provisioning links of each account, with hashes of the links that were used."""

from datetime import datetime
from typing import Any

from flexiapi.model import NotedFetch
from flexiapi.store.connection import Records
from flexiapi.store.documents import plain
from flexiapi.store.driver import Database

_MOST_FETCHES = 20
_MOST_TOKENS = 10


class ProvisioningFetchStore(Records):
    """One record for each account, so that a link that was used still tells whose it was."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._fetches = database["provisioning_fetches"]

    async def note(
        self, account_id: int, fetch: NotedFetch, expires_at: datetime, used_token: bytes | None = None
    ) -> None:
        """Remember a fetch, and the hash of the token that it used up."""
        change = _noted(fetch, expires_at)
        if used_token is not None:
            change["$push"]["tokens"] = {"$each": [used_token], "$slice": -_MOST_TOKENS}
        await self._fetches.update_one({"_id": account_id}, change, upsert=True)

    async def note_spent(self, token: bytes, fetch: NotedFetch, expires_at: datetime) -> None:
        """Remember a fetch at the account whose link was used up before, if the token is of one."""
        await self._fetches.update_one({"tokens": token}, _noted(fetch, expires_at))

    async def of(self, account_id: int) -> list[NotedFetch]:
        """Return the last fetches of an account, the newest first."""
        document = await self._fetches.find_one({"_id": account_id}) or {"fetches": []}
        return [NotedFetch(**fetch) for fetch in reversed(document["fetches"])]

    async def remove_of(self, account_id: int) -> None:
        """Forget the fetches of a removed account."""
        await self._fetches.delete_one({"_id": account_id})


def _noted(fetch: NotedFetch, expires_at: datetime) -> dict[str, Any]:
    last = {"$each": [plain(fetch)], "$slice": -_MOST_FETCHES}
    return {"$push": {"fetches": last}, "$set": {"expires_at": expires_at}}
