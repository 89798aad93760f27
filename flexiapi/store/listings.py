"""Queries over many accounts: pages, search, groups, upkeep and statistics."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from flexiapi.model import Account, AccountSelection, CreationCount, Scope
from flexiapi.store.account_lookups import within
from flexiapi.store.account_ranges import RANGE, AccountRanges
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document


class Listings(Records):
    """Queries that return many accounts."""

    def __init__(
        self, database: "AsyncIOMotorDatabase[dict[str, Any]]", documents: AccountDocuments, ranges: AccountRanges
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._ranges = ranges

    async def page(self, wanted: AccountSelection, skip: int, limit: int) -> tuple[int, list[Account]]:
        """Return the number of matching accounts, and those of one page in ascending order of their ids.

        Without filters the cost does not depend on the page.
        """
        if wanted.is_whole_domain:
            return await self._unfiltered_page(wanted.domain, skip, limit)
        query = _query(wanted)
        pipeline: list[Document] = [
            {"$match": query},
            {"$project": {"_id": 1}},
            {"$sort": {"_id": 1}},
            {"$skip": min(skip, 2**62)},
            {"$limit": limit},
        ]
        total, found = await asyncio.gather(
            self._accounts.count_documents(query), self._accounts.aggregate(pipeline).to_list(None)
        )
        return total, await self._by_ids([document["_id"] for document in found])

    async def _unfiltered_page(self, domain: str | None, skip: int, limit: int) -> tuple[int, list[Account]]:
        ends = list(accumulate(await self._ranges.counts(domain)))
        if skip >= ends[-1]:
            return ends[-1], []
        place = bisect_right(ends, skip)
        query: Document = {"_id": {"$gte": place * RANGE}}
        if domain is not None:
            query["domain"] = domain
        before = ends[place - 1] if place else 0
        cursor = self._accounts.find(query, {"_id": 1}).sort("_id").skip(skip - before).limit(limit)
        return ends[-1], await self._by_ids([document["_id"] for document in await cursor.to_list(None)])

    async def _by_ids(self, ids: Sequence[int]) -> list[Account]:
        if not ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(ids)}}, batch_size=len(ids) + 1).sort("_id")
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def first_by_email(self, email: str, scope: Scope) -> Account | None:
        """Return the account of the scope with this lower-case address and the lowest id."""
        document = await self._accounts.find_one({"email": email, **within(scope)}, sort=[("_id", 1)])
        return None if document is None else self._documents.decode(document)

    async def of_group(self, group: str, last_id: int, limit: int) -> list[Account]:
        """Return accounts of a group with an id above `last_id`, in ascending order of their ids."""
        cursor = self._accounts.find({"group": group, "_id": {"$gt": last_id}}, sort=[("_id", 1)], limit=limit)
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def made_before(
        self, domain: str, moment: datetime, last_id: int, limit: int, *, and_confirmed: bool
    ) -> list[Account]:
        """Return accounts with an id above `last_id` that were created before and never activated, ascending by id.

        `and_confirmed` adds all others except administrators.
        """
        query: Document = {"domain": domain, "_id": {"$gt": last_id}, "created_at": {"$lt": moment}}
        if and_confirmed:
            query["admin_since"] = {"$exists": False}
        else:
            query |= {"activated": {"$ne": True}, "activated_at": {"$exists": False}}
        cursor = self._accounts.find(query, sort=[("_id", 1)], limit=limit)
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def creations(self, scope: Scope, since: datetime, form: str) -> dict[str, CreationCount]:
        """Return the accounts created since then by period; `form` is the format of its name for `strftime`."""
        match: Document = {"created_at": {"$gte": since}, **within(scope)}
        phone = {"$cond": [{"$gt": ["$phone", None]}, 1, 0]}
        activated = {"$cond": ["$activated", 1, 0]}
        pipeline: list[Document] = [
            {"$match": match},
            {
                "$group": {
                    "_id": {"$dateToString": {"date": "$created_at", "format": form}},
                    "accounts": {"$sum": 1},
                    "with_phone": {"$sum": phone},
                    "activated": {"$sum": activated},
                    "activated_with_phone": {"$sum": {"$multiply": [phone, activated]}},
                }
            },
        ]
        return {found.pop("_id"): CreationCount(**found) async for found in self._accounts.aggregate(pipeline)}


def _query(wanted: AccountSelection) -> Document:
    query: Document = {}
    if wanted.domain is not None:
        query["domain"] = wanted.domain
    if wanted.activated is not None:
        query["activated"] = wanted.activated
    if wanted.admin is not None:
        query["admin_since"] = {"$exists": wanted.admin}
    if wanted.text is not None:
        text = re.escape(wanted.text)
        query["$or"] = [
            {"identifiers": {"$regex": f"^sip:{text}"}},
            {"identifiers": {"$regex": f"^tel:{text}"}},
            {"email": {"$regex": f"^{text}"}},
        ]
    return query
