"""The tables of domains that the database was written for.

Identifiers of accounts depend on the tables. So the domains that have one are kept in `meta`, and a server with other
tables does not serve. A changed set is a step under a lease over the accounts of the changed domains; it can be broken
off at any point and repeated.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from flexiapi.errors import ConfigurationError
from flexiapi.model import Spaces
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.driver import Database
from flexiapi.store.leases import Leases
from flexiapi.store.space_identifiers import SpaceTablesCollide, WantedIdentifiers

_LEASE = "spaces"
_PAUSE_SECONDS = 0.2
_LIFE = timedelta(minutes=2)


class SpaceTables(Records, bounds=False):
    """The kept set of tables, and the step to the one of the settings."""

    def __init__(
        self,
        database: Database,
        documents: AccountDocuments,
        spaces: Spaces,
        leases: Leases,
    ) -> None:
        super().__init__(database)
        self._meta = database["meta"]
        self._accounts = database["accounts"]
        self._wanted = sorted(spaces.by_domain)
        self._identifiers = WantedIdentifiers(database, documents, self._wanted)
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
            if pairs := await self._identifiers.colliding(every):
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
            async for batch in self._identifiers.batches(domains):
                await self._keep(holder)
                writes = [
                    UpdateOne({"_id": one["_id"], "identifiers": one["identifiers"]}, {"$set": {"identifiers": wanted}})
                    for one in batch
                    if (wanted := self._identifiers.of(one)) != one["identifiers"]
                ]
                failed = await self._written(writes)
                written, refused = written + len(writes) - failed, refused + failed
                progress(read := read + len(batch))
            total += written
            if not written and not refused:
                return total
            if not written:
                raise SpaceTablesCollide(await self._identifiers.colliding(domains))

    async def _written(self, writes: Sequence[UpdateOne]) -> int:
        """Write identifiers. Return how many were refused because another account has one."""
        if not writes:
            return 0
        try:
            await self._accounts.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            return len(duplicates(error))
        return 0
