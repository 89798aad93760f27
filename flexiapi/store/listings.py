"""Queries over many accounts: pages, search, groups, upkeep and statistics."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from pymongo.errors import ExecutionTimeout

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.model import Account, AccountSelection, AccountsFound, CreationCount, Scope
from flexiapi.store import driver
from flexiapi.store.account_lookups import within
from flexiapi.store.account_queries import beginnings, beginnings_without_words, filters, typed
from flexiapi.store.account_ranges import RANGE, AccountRanges
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.driver import Database
from flexiapi.store.pending_events import WITHOUT_EVENTS

BY_WORDS = [("words", 1), ("domain", 1)]
MOST_OTHERS = 200
OTHERS_MILLISECONDS = 1000
_BY_ID = [("_id", 1)]
_BY_DOMAIN = [("domain", 1), ("_id", 1)]
_OTHERS_AT_ONCE = 20
_DOMAINS_AT_ONCE = 50

_Page = tuple[str | None, int, int]
"""Domain, accounts to skip, and most accounts of a page without filters."""


class Listings(Records):
    """Queries that return many accounts. Without `has_words` not all accounts have the words that searches compare."""

    def __init__(self, database: Database, documents: AccountDocuments, ranges: AccountRanges) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._ranges = ranges
        self.has_words = True
        self._pages = CoalescedReads[_Page, AccountsFound](self._unfiltered_pages)

    async def page(self, wanted: AccountSelection, skip: int, limit: int) -> AccountsFound:
        """Return the number of matching accounts, and those of one page in ascending order of their ids.

        Without filters the cost does not depend on the page. A search finds the beginnings of words, by an index. After
        these come accounts that have the text elsewhere in a word, as far as they are found in a second, at most 200.
        """
        if wanted.is_whole_domain:
            return await self._pages.get((wanted.domain, skip, limit)) or AccountsFound(0, ())
        if wanted.text is None:
            total, ids = await self._matching(filters(wanted), skip, limit)
            return AccountsFound(total, await self._by_ids(ids))
        return await self._found(wanted, wanted.text, skip, limit)

    async def _found(self, wanted: AccountSelection, text: str, skip: int, limit: int) -> AccountsFound:
        if not self.has_words:
            query = {**filters(wanted), "$or": beginnings_without_words(text)}
            total, ids = await self._matching(query, skip, limit)
            return AccountsFound(total, await self._by_ids(ids), is_incomplete=True)
        query = {**filters(wanted), "$or": beginnings(text)}
        (total, ids), (others, is_cut) = await asyncio.gather(
            self._matching(query, skip, limit), self.with_other_parts(wanted, text)
        )
        ids += others[max(0, skip - total) : max(0, skip + limit - total)]
        return AccountsFound(total + len(others), await self._by_ids(ids), is_incomplete=is_cut)

    async def _matching(self, query: Document, skip: int, limit: int) -> tuple[int, list[int]]:
        """Return the number of matching accounts, and the ids of one page."""
        pipeline: list[Document] = [
            {"$match": query},
            {"$project": {"_id": 1}},
            {"$sort": {"_id": 1}},
            {"$skip": min(skip, 2**62)},
            {"$limit": limit},
        ]
        total, found = await asyncio.gather(
            self._accounts.count_documents(query), driver.aggregated(self._accounts, pipeline)
        )
        return total, [document["_id"] for document in found]

    async def with_other_parts(self, wanted: AccountSelection, text: str) -> tuple[list[int], bool]:
        """Return the ids of accounts with the text elsewhere in a word, and whether there may be more."""
        part = {"words": {"$regex": re.escape(typed(text))}}
        query = {**filters(wanted), **part, "$nor": beginnings(text)}
        cursor = self._accounts.find(query, {"_id": 1}, batch_size=_OTHERS_AT_ONCE, limit=MOST_OTHERS + 1)
        # The scan goes along the index, and what it has found in time is kept.
        cursor.hint(BY_WORDS).max_time_ms(OTHERS_MILLISECONDS)
        ids: list[int] = []
        is_late = False
        try:
            async for document in cursor:
                ids.append(document["_id"])  # noqa: PERF401  # an expression would lose what came in time
        except ExecutionTimeout:
            is_late = True
        return sorted(ids[:MOST_OTHERS]), is_late or len(ids) > MOST_OTHERS

    async def _unfiltered_pages(self, pages: Sequence[_Page]) -> Mapping[_Page, AccountsFound]:
        found = await asyncio.gather(*(self._unfiltered_page(*page) for page in pages))
        return dict(zip(pages, found, strict=True))

    async def _unfiltered_page(self, domain: str | None, skip: int, limit: int) -> AccountsFound:
        ends = list(accumulate(await self._ranges.counts(domain)))
        if skip >= ends[-1]:
            return AccountsFound(ends[-1], ())
        place = bisect_right(ends, skip)
        query: Document = {"_id": {"$gte": place * RANGE}}
        before = ends[place - 1] if place else 0
        if domain is not None:
            query["domain"] = domain
        # Along an index with all that the query compares, MongoDB skips keys and reads the documents of the page only.
        cursor = self._accounts.find(query).hint(_BY_ID if domain is None else _BY_DOMAIN)
        cursor.sort("_id").skip(skip - before).limit(limit)
        return AccountsFound(ends[-1], [self._documents.decode(document) for document in await cursor.to_list(None)])

    async def _by_ids(self, ids: Sequence[int]) -> list[Account]:
        if not ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(ids)}}, batch_size=len(ids) + 1)
        found = {document["_id"]: document for document in await cursor.to_list(None)}
        return [self._documents.decode(found[account_id]) for account_id in ids if account_id in found]

    async def first_by_email(self, email: str, scope: Scope) -> Account | None:
        """Return the account of the scope with this lower-case address and the lowest id.

        Where addresses are unique, one that is not proven finds no account.
        """
        proven = {"claimed_email": {"$ne": email}} if self._documents.email_unique else {}
        document = await self._accounts.find_one({"email": email, **proven, **within(scope)}, sort=[("_id", 1)])
        return None if document is None else self._documents.decode(document)

    async def only_by_email(self, email: str, scope: Scope) -> Account | None:
        """Return the one account of the scope that proved this lower-case address, `None` if there are several."""
        query = {"email": email, "claimed_email": {"$ne": email}, **within(scope)}
        found = await self._accounts.find(query, WITHOUT_EVENTS, limit=2).to_list(None)
        return self._documents.decode(found[0]) if len(found) == 1 else None

    async def domains_in_use(self) -> list[str]:
        """Return the domains that have an activated account.

        The index of domains is read once for each domain, and not once for each account.
        """
        found: list[str] = []
        domains = [domain for domain in await self._accounts.distinct("domain") if isinstance(domain, str)]
        for start in range(0, len(domains), _DOMAINS_AT_ONCE):
            some = domains[start : start + _DOMAINS_AT_ONCE]
            used = await asyncio.gather(*(self._is_in_use(domain) for domain in some))
            found += [domain for domain, is_used in zip(some, used, strict=True) if is_used]
        return found

    async def _is_in_use(self, domain: str) -> bool:
        return await self._accounts.find_one({"domain": domain, "activated": True}, {"_id": 1}) is not None

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
        found = await driver.aggregated(self._accounts, pipeline)
        return {one.pop("_id"): CreationCount(**one) for one in found}
