"""The tables of domains that the database was written for.

Identifiers of accounts depend on the tables. So the domains that have one are kept in `meta`, and a server with other
tables does not serve. A changed set is a step under a lease over the accounts of the changed domains; it can be broken
off at any point and repeated.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne

from flexiapi.errors import ConfigurationError, FlexiapiError
from flexiapi.model import Spaces
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.leases import Leases

_LEASE = "spaces"
_LIFE = timedelta(minutes=2)
_AT_ONCE = 500
_MOST_PAIRS = 20
_NAMES = ("username", "domain", "phone", "email")


class SpaceTablesCollide(FlexiapiError):
    """Accounts would share an identifier. `pairs` has some of them: identifier, and the addresses that it names."""

    def __init__(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        lines = [f"  {identifier}: sip:{one} and sip:{other}" for identifier, one, other in pairs]
        text = "These accounts would share a number or an address. Change one of each pair, or keep the tables:"
        super().__init__("\n".join([text, *lines]))
        self.pairs = tuple(pairs)


class _Names(NamedTuple):
    username: str
    domain: str
    phone: str | None
    email: str | None


class SpaceTables(Records):
    """The kept set of tables, and the step to the one of the settings."""

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[dict[str, Any]]",
        documents: AccountDocuments,
        spaces: Spaces,
        leases: Leases,
    ) -> None:
        super().__init__(database)
        self._meta = database["meta"]
        self._accounts = database["accounts"]
        self._documents = documents
        self._wanted = sorted(spaces.by_domain)
        self._leases = leases

    async def _kept(self) -> Document:
        return await self._meta.find_one({"_id": "spaces"}) or {}

    async def differences(self) -> list[str]:
        """Return a sentence for each table in which settings and database differ; none if the server can serve."""
        kept = await self._kept()
        known = kept.get("domains", [])
        here = [f'[spaces."{name}"] is in the settings of this server' for name in self._wanted if name not in known]
        there = [f'[spaces."{name}"] is missing in the settings' for name in known if name not in self._wanted]
        texts = [f"{text} and not in those that the database was written with." for text in here]
        texts += [f"{text} of this server; the database was written with it." for text in there]
        if not texts and "changing" in kept:
            names = ", ".join(f'[spaces."{name}"]' for name in kept["changing"])
            return [f"The accounts of {names} are being changed."]
        return texts

    async def settle(self) -> bool:
        """Return True if the database fits the tables of the settings.

        The first tables of a database, and a step that was ordered before and broken off, are applied here. Raises
        `ConfigurationError` if accounts collide.
        """
        kept = await self._kept()
        is_first = not kept and bool(self._wanted)
        if is_first or ("changing" in kept and kept["domains"] == self._wanted):
            try:
                await self.apply()
            except SpaceTablesCollide as error:
                raise ConfigurationError(str(error)) from error
        return not await self.differences()

    async def apply(
        self, progress: Callable[[int], None] = lambda _count: None, announced: Callable[[], Any] | None = None
    ) -> int | None:
        """Change the database to the tables of the settings. Return the number of changed accounts.

        `announced` is awaited once servers with other tables can know that they must not serve. `progress` gets the
        number of accounts read. Return `None` if another process does the same. Raises `SpaceTablesCollide`, with
        nothing changed.
        """
        holder = secrets.token_hex(8)
        if not await self._leases.take(_LEASE, holder, _LIFE):
            return None
        try:
            kept = await self._kept()
            domains = sorted({*kept.get("changing", []), *(set(kept.get("domains", [])) ^ set(self._wanted))})
            if not domains:
                return 0
            if pairs := await self._colliding(domains):
                raise SpaceTablesCollide(pairs)
            change = {"$set": {"domains": self._wanted, "changing": domains}}
            await self._meta.update_one({"_id": "spaces"}, change, upsert=True)
            if announced is not None:
                await announced()
            changed = await self._rewritten(domains, holder, progress)
            await self._meta.update_one({"_id": "spaces"}, {"$unset": {"changing": ""}})
            return changed
        finally:
            await self._leases.give_back(_LEASE, holder)

    async def _rewritten(self, domains: Sequence[str], holder: str, progress: Callable[[int], None]) -> int:
        """Write the identifiers of all accounts of the domains anew, until a pass finds nothing to write."""
        total = read = 0
        while True:
            in_pass = 0
            async for batch in self._batches(domains):
                if not await self._leases.keep(_LEASE, holder, _LIFE):
                    raise ConfigurationError("Another process changes the tables of domains now. Try again later.")
                writes = [
                    # An account that changes meanwhile is left for the next pass.
                    UpdateOne({"_id": one["_id"], "identifiers": one["identifiers"]}, {"$set": {"identifiers": wanted}})
                    for one in batch
                    if (wanted := self._wanted_of(one)) != one["identifiers"]
                ]
                if writes:
                    await self._accounts.bulk_write(writes, ordered=False)
                in_pass += len(writes)
                progress(read := read + len(batch))
            if not in_pass:
                return total
            total += in_pass

    async def _batches(self, domains: Sequence[str]) -> AsyncIterator[list[Document]]:
        fields = {**dict.fromkeys(_NAMES, 1), "identifiers": 1}
        for domain in domains:
            last_id = 0
            while True:
                query = {"domain": domain, "_id": {"$gt": last_id}}
                batch = await self._accounts.find(query, fields, sort=[("_id", 1)], limit=_AT_ONCE).to_list(None)
                if not batch:
                    break
                yield batch
                last_id = batch[-1]["_id"]

    def _wanted_of(self, document: Document) -> list[str]:
        names = _Names(document["username"], document["domain"], document.get("phone"), document.get("email"))
        return self._documents.identifiers(names)

    async def _colliding(self, domains: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return pairs of accounts that would share an identifier: with others, and with each other."""
        pairs: list[tuple[str, str, str]] = []
        async for batch in self._batches(domains):
            new = {
                identifier: one
                for one in batch
                for identifier in self._wanted_of(one)
                if identifier not in one["identifiers"]
            }
            query = {"identifiers": {"$in": list(new)}}
            async for other in self._accounts.find(query, {**dict.fromkeys(_NAMES, 1), "identifiers": 1}):
                # One that gives the identifier up in the same step does not collide.
                wanted = self._wanted_of(other)
                pairs += [
                    (identifier, _address(new[identifier]), _address(other))
                    for identifier in other["identifiers"]
                    if identifier in new and identifier in wanted and new[identifier]["_id"] != other["_id"]
                ]
            if len(pairs) >= _MOST_PAIRS:
                break
        return (pairs or await self._colliding_inside(domains))[:_MOST_PAIRS]

    async def _colliding_inside(self, domains: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return pairs among the accounts of domains that lose their tables, which become one space."""
        losing = [domain for domain in domains if domain not in self._wanted]
        pairs = []
        for field, number in (("phone", "$phone"), ("email", "$email")):
            pipeline: list[Document] = [
                {"$match": {"domain": {"$in": losing}}},
                {"$project": {"name": number, "address": {"$concat": ["$username", "@", "$domain"]}, "username": 1}},
            ]
            if field == "phone":
                both = {"$setUnion": [["$name"], [{"$cond": [_IS_NUMBER, "$username", "$name"]}]]}
                pipeline += [{"$set": {"name": both}}, {"$unwind": "$name"}]
            pipeline += [
                {"$match": {"name": {"$type": "string"}}},
                {"$group": {"_id": "$name", "one": {"$min": "$address"}, "other": {"$max": "$address"}}},
                {"$match": {"$expr": {"$ne": ["$one", "$other"]}}},
                {"$limit": _MOST_PAIRS},
            ]
            scheme = "tel" if field == "phone" else "mailto"
            if len(losing) > 1 and (field == "phone" or self._documents.email_unique):
                found = self._accounts.aggregate(pipeline, allowDiskUse=True)
                pairs += [(f"{scheme}:{one['_id']}", one["one"], one["other"]) async for one in found]
        return pairs


_IS_NUMBER = {"$eq": [{"$substrCP": ["$username", 0, 1]}, "+"]}


def _address(document: Document) -> str:
    return f"{document['username']}@{document['domain']}"
