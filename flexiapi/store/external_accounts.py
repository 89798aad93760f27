"""Pool of SIP accounts on another server, each to be used for one account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import BulkWriteError

from flexiapi.crypto.keys import ApplicationKey, SealedText
from flexiapi.model import Actor, Algorithm, ExternalAccount, PooledAccount
from flexiapi.store.connection import duplicates
from flexiapi.store.counters import Counters
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords

_AT_ONCE = 1000
# Without the sealed hash, which no page shows.
_SHOWN = ("username", "domain", "group", "algorithm", "used", "account_id")

Document = dict[str, Any]


class ExternalAccountStore(JournaledRecords, bounds=False):
    """The pool. A used external account stays used, even after its account was removed."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        key: ApplicationKey,
        counters: Counters,
    ) -> None:
        super().__init__(database, journal, "external_accounts")
        self._accounts = database["accounts"]
        self._key = key
        self._counters = counters

    async def add(self, externals: Sequence[ExternalAccount], actor: Actor) -> int:
        """Put accounts into the pool, but for those with a known name; how many were new."""
        known = 0
        for start in range(0, len(externals), _AT_ONCE):
            known += await self._add(externals[start : start + _AT_ONCE], actor)
        return len(externals) - known

    async def _add(self, externals: Sequence[ExternalAccount], actor: Actor) -> int:
        """Add a batch, which is one event. Return how many names were known."""
        documents = [await self._encoded(external) for external in externals]
        numbers = [document["_id"] for document in documents]
        announcements, known = self._journal.announcements, set()
        announced = await announcements.announce(self._name, actor, "external_accounts.imported", {"ids": numbers})
        try:
            await self._records.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            known = {failure["index"] for failure in duplicates(error)}
        new = [number for place, number in enumerate(numbers) if place not in known]
        if new:
            await announcements.tell(announced, ids=new)
        else:
            await announcements.drop(announced)
        return len(known)

    async def _encoded(self, external: ExternalAccount) -> Document:
        number = await self._counters.next("external_accounts")
        return {
            "_id": number,
            "username": external.username,
            "domain": external.domain,
            "group": external.group,
            "algorithm": str(external.algorithm),
            "sealed": self._key.seal(external.ha1, bound_to_number(number)),
            "used": False,
        }

    async def claim(self, now: datetime, actor: Actor) -> tuple[int, ExternalAccount] | None:
        """Take the first free one, and its number; `None` when all are used."""
        change = {"$set": {"used": True, "claimed_at": now}}
        found = await self._change({"used": False}, change, actor, "external_account.claimed", sort="_id")
        if found is None:
            return None
        ha1 = SealedText(self._key, found["sealed"], bound_to_number(found["_id"]))
        external = ExternalAccount(
            found["username"], found["domain"], found["group"], ha1, Algorithm(found["algorithm"])
        )
        return found["_id"], external

    async def give_back(self, number: int, actor: Actor) -> None:
        """Make a claimed one free again, because what it was for failed."""
        change = {"$set": {"used": False}, "$unset": {"claimed_at": ""}}
        await self._change({"_id": number}, change, actor, "external_account.given_back")

    async def give_back_of(self, account_id: int, external: ExternalAccount, actor: Actor) -> None:
        """Make the one of a removed account free again, because that account is given up before it was used."""
        change = {"$set": {"used": False}, "$unset": {"account_id": "", "claimed_at": ""}}
        # Another process may have finished the removal already, and have removed the reference to the account.
        owner = {"account_id": {"$in": [account_id, None]}}
        named = {"username": external.username, "domain": external.domain, "used": True}
        await self._change({**named, **owner}, change, actor, "external_account.given_back")

    async def note_account(self, number: int, account_id: int, actor: Actor) -> None:
        """Remember whose it is."""
        change = {"$set": {"account_id": account_id}, "$unset": {"claimed_at": ""}}
        await self._change({"_id": number}, change, actor, "external_account.given", {"account": account_id})

    async def detach(self, account_id: int) -> None:
        """Remove the reference to a removed account."""
        await self._records.update_many({"account_id": account_id}, {"$unset": {"account_id": ""}})

    async def page(self, after: int, most: int, *, used: bool | None = None) -> list[PooledAccount]:
        """Return accounts of the pool with a number above `after`, by number: all, or those used or free."""
        query: Document = {"_id": {"$gt": after}, **({} if used is None else {"used": used})}
        found = await self._records.find(query, _SHOWN).sort("_id").limit(most).to_list(None)
        return [_pooled(document) for document in found]

    async def pooled(self, number: int) -> PooledAccount | None:
        """Return the account of the pool with the number."""
        document = await self._records.find_one({"_id": number}, _SHOWN)
        return None if document is None else _pooled(document)

    async def counts(self) -> tuple[int, int]:
        """Return how many are used, and how many are free."""
        used = await self._records.count_documents({"used": True})
        return used, await self._records.count_documents({"used": False})

    async def remove_free(self, number: int, actor: Actor) -> bool:
        """Remove one that is free. Return False if it is used, or gone."""
        return await self._remove(number, actor, "external_account.removed", {"used": False})

    async def free_abandoned(self, before: datetime, actor: Actor) -> int:
        """Free those that a creation claimed and a crash left without an account. Return their number."""
        freed = 0
        async for claimed in self._records.find({"used": True, "claimed_at": {"$lt": before}}):
            named = {f"external_account.{name}": claimed[name] for name in ("username", "domain")}
            owner = await self._accounts.find_one(named, {"_id": 1})
            if owner is None:
                await self.give_back(claimed["_id"], actor)
                freed += 1
            else:
                await self.note_account(claimed["_id"], owner["_id"], actor)
        return freed


def _pooled(document: Document) -> PooledAccount:
    return PooledAccount(
        document["_id"],
        document["username"],
        document["domain"],
        document["group"],
        Algorithm(document["algorithm"]),
        bool(document["used"]),
        document.get("account_id"),
    )


def bound_to_number(number: int) -> str:
    """Return the context that the seal of an external account is bound to."""
    return f"external account:{number}"
