"""The tables of domains that the database was written for.

Identifiers of accounts depend on the tables. So the domains that have one are kept in `meta`, and a server with other
tables does not serve. A changed set is a step under a lease over the accounts of the changed domains; it can be broken
off at any point and repeated.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from flexiapi.errors import ConfigurationError, FlexiapiError
from flexiapi.model import Spaces
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.leases import Leases

_LEASE = "spaces"
_PAUSE_SECONDS = 0.2
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

    async def fits(self) -> bool:
        """Return True if the database fits the tables of the settings."""
        return not await self.differences()

    async def settle(self, wait: timedelta) -> bool:
        """Return True if the database fits the tables of the settings.

        The first tables of a database, and a step that was ordered before and broken off, are applied here; running
        servers without the tables get the time `wait` to stop. Raises `ConfigurationError` if accounts collide.
        """
        kept = await self._kept()
        is_first = not kept and bool(self._wanted)
        if is_first or ("changing" in kept and kept["domains"] == self._wanted):
            try:
                await self.apply(wait, expected=kept)
            except SpaceTablesCollide as error:
                raise ConfigurationError(str(error)) from error
        return await self.fits()

    async def settle_empty(self) -> bool:
        """Keep the first tables of a database that has no accounts. Return True if it fits the tables."""
        if not await self._kept() and await self._accounts.find_one({}, {"_id": 1}) is None:
            return await self.settle(timedelta(0))
        return await self.fits()

    async def apply(
        self,
        wait: timedelta,
        progress: Callable[[int], None] = lambda _count: None,
        *,
        expected: Document | None = None,
    ) -> int | None:
        """Change the database to the tables of the settings. Return the number of changed accounts.

        Running servers with other tables get the time `wait` to notice and to stop, before an account is changed.
        `progress` gets the number of accounts read. Without a difference, wrong identifiers are put right that a server
        with other tables has written. Return `None` if another process does the same, or if the database no longer has
        the tables in `expected`. Raises `SpaceTablesCollide`; then nothing is changed.
        """
        holder = secrets.token_hex(8)
        if not await self._leases.keep(_LEASE, holder, _LIFE):
            return None
        try:
            kept = await self._kept()
            if expected is not None and kept != expected:
                return None
            domains = {*kept.get("changing", []), *(set(kept.get("domains", [])) ^ set(self._wanted))}
            every = self._in_order(domains | set(self._wanted))
            if pairs := await self._colliding(every):
                raise SpaceTablesCollide(pairs)
            if domains:
                if not await self._begin(kept, sorted(domains), wait):
                    return None
                await self._wait(holder)
            changed = await self._rewritten(every, holder, progress)
            if domains:
                done = {"$unset": {"changing": "", "not_before": ""}}
                await self._meta.update_one({"_id": "spaces", "domains": self._wanted}, done)
            return changed
        finally:
            await self._leases.give_back(_LEASE, holder)

    def _in_order(self, domains: set[str]) -> list[str]:
        """Put the domains that have a table first: their accounts give up what those of others may then take."""
        return sorted(domains, key=lambda domain: (domain not in self._wanted, domain))

    async def _begin(self, kept: Document, domains: Sequence[str], wait: timedelta) -> bool:
        """Note that the accounts of the domains are being changed. Return False if another process was faster."""
        end = {"$add": ["$$NOW", int(wait.total_seconds() * 1000)]}
        is_resumed = kept.get("domains") == self._wanted
        change = [
            {
                "$set": {
                    "domains": self._wanted,
                    "changing": domains,
                    # A step that is resumed waits for the end of the time that it had.
                    "not_before": {"$ifNull": ["$not_before", end]} if is_resumed else end,
                }
            }
        ]
        if kept:
            return (await self._meta.update_one(kept, change)).matched_count == 1
        try:
            await self._meta.update_one({"_id": "spaces", "domains": {"$exists": False}}, change, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def _wait(self, holder: str) -> None:
        """Wait until servers with other tables have stopped."""
        while await self._meta.find_one({"_id": "spaces", "$expr": {"$gt": ["$not_before", "$$NOW"]}}, {"_id": 1}):
            await self._keep(holder)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _keep(self, holder: str) -> None:
        if not await self._leases.keep(_LEASE, holder, _LIFE):
            raise ConfigurationError("Another process changes the tables of domains now. Try again later.")

    async def _rewritten(self, domains: Sequence[str], holder: str, progress: Callable[[int], None]) -> int:
        """Write the identifiers of all accounts of the domains anew, until a pass finds nothing to write.

        An account that changes meanwhile, or whose identifier another has yet to give up, is left for the next pass.
        """
        total = read = 0
        while True:
            written = refused = 0
            async for batch in self._batches(domains):
                await self._keep(holder)
                writes = [
                    UpdateOne({"_id": one["_id"], "identifiers": one["identifiers"]}, {"$set": {"identifiers": wanted}})
                    for one in batch
                    if (wanted := self._wanted_of(one)) != one["identifiers"]
                ]
                failed = await self._written(writes)
                written, refused = written + len(writes) - failed, refused + failed
                progress(read := read + len(batch))
            total += written
            if not written and not refused:
                return total
            if not written:
                raise SpaceTablesCollide(await self._colliding(domains))

    async def _written(self, writes: Sequence[UpdateOne]) -> int:
        """Write identifiers. Return how many were refused because another account has one."""
        if not writes:
            return 0
        try:
            await self._accounts.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            return len(duplicates(error))
        return 0

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
