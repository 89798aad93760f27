"""Quotas: the number of accounts of each space that has one, in an atomic counter.

A place is reserved before an account is inserted, and given back when the insertion is refused and after a removal. A
crash in between, or a write whose answer is lost, can leave a place reserved for nothing. Commands, and servers without
the quota in their settings, write accounts without a place. `heal` finds both.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flexiapi.errors import SpaceFull
from flexiapi.model import Space, Spaces
from flexiapi.store.account_lookups import within
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

Document = dict[str, Any]


class AccountQuotas(Records, bounds=False):
    """The counters of accounts. `limited` are the spaces with a quota; without any, nothing is counted."""

    def __init__(self, database: Database, spaces: Spaces) -> None:
        super().__init__(database)
        self._counters = database["counters"]
        self._accounts = database["accounts"]
        self._spaces = spaces
        self.limited: Mapping[str, Space] = {space.domain: space for space in spaces if space.quota}

    async def reserve(self, domain: str) -> None:
        """Reserve a place for an account of the domain. Raises `SpaceFull`."""
        space = self._spaces.of_domain(domain)
        if not space.quota or await self._reserved(space):
            return
        if await self._counters.find_one({"_id": _name(space)}, {"_id": 1}) is None:
            await self._begin(space)
            if await self._reserved(space):
                return
        raise SpaceFull

    async def refuse_excess(self, domain: str) -> None:
        """Raise `SpaceFull` if the domain's space has more accounts than its quota.

        Then a place that is given back is not free.
        """
        space = self._spaces.of_domain(domain)
        query = {"_id": _name(space), "accounts": {"$gt": space.quota}}
        if space.quota and await self._counters.find_one(query, {"_id": 1}) is not None:
            raise SpaceFull

    def is_move(self, before: str, after: str) -> bool:
        """Return whether an account that changes its domain changes its space."""
        return self._spaces.of_domain(before) is not self._spaces.of_domain(after)

    async def _reserved(self, space: Space) -> bool:
        query = {"_id": _name(space), "accounts": {"$lt": space.quota}}
        return (await self._counters.update_one(query, _changed(1))).matched_count == 1

    async def give_back(self, domain: str) -> None:
        """Give back a place of the domain's space."""
        space = self._spaces.of_domain(domain)
        if space.quota:
            await self._counters.update_one({"_id": _name(space), "accounts": {"$gt": 0}}, _changed(-1))

    async def prepare(self) -> None:
        """Begin to count in spaces with a quota, and forget the counters of the others, which are not kept up."""
        for space in self._spaces:
            if space.quota:
                await self._begin(space)
            else:
                await self._counters.delete_one({"_id": _name(space)})

    async def raise_to_accounts(self) -> None:
        """Count accounts that were written without a place, as commands do that write many."""
        for space in self.limited.values():
            await self._begin(space)

    async def _begin(self, space: Space) -> None:
        """Make the counter if there is none, and raise it to the number of accounts."""
        counted = await self._accounts.count_documents(within(space.scope))
        made = {"$setOnInsert": {"accounts": counted, "changes": 0}}
        await self._counters.update_one({"_id": _name(space)}, made, upsert=True)
        raised = {"$max": {"accounts": counted}, "$inc": {"changes": 1}}
        await self._counters.update_one({"_id": _name(space), "accounts": {"$lt": counted}}, raised)

    async def heal(self, settling: timedelta) -> int:
        """Count accounts without a place, and give back places that were reserved for nothing. Return how many.

        `settling` is longer than a creation or removal takes. A space is left as it is, until the next time, when
        accounts come or go meanwhile: only then nothing but a wrong number can differ from the accounts.
        """
        return sum(await asyncio.gather(*(self._healed(space, settling) for space in self.limited.values())))

    async def _healed(self, space: Space, settling: timedelta) -> int:
        before = await self._excess(space)
        if before is None or before[1] == 0:
            return 0
        await asyncio.sleep(settling.total_seconds())
        changes, excess = await self._excess(space) or (None, 0)
        if changes != before[0] or excess == 0:
            return 0
        query = {"_id": _name(space), "changes": changes}
        is_healed = (await self._counters.update_one(query, _changed(-excess))).matched_count
        return max(excess, 0) if is_healed else 0

    async def _excess(self, space: Space) -> tuple[int, int] | None:
        """Return the counter's number of changes, and by how much it exceeds the accounts; `None` if it changed."""
        query = {"_id": _name(space)}
        first: Document | None = await self._counters.find_one(query)
        counted = await self._accounts.count_documents(within(space.scope))
        last: Document | None = await self._counters.find_one(query)
        if first is None or last is None or first["changes"] != last["changes"]:
            return None
        return last["changes"], last["accounts"] - counted


def _name(space: Space) -> str:
    return f"accounts of {space.domain}"


def _changed(by: int) -> Document:
    return {"$inc": {"accounts": by, "changes": 1}}
