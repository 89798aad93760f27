"""Pages of accounts in an order of one's choice, by the place where a page begins.

A page does not count what lies before it: it begins at a place, which is a value and an id. So it costs the same
wherever it is, and accounts that come and go move no other account to another page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pymongo.errors import ExecutionTimeout

from flexiapi.model import (
    Account,
    AccountOrder,
    AccountPlace,
    AccountSelection,
    AccountsSlice,
    AccountsTotal,
    SortKey,
)
from flexiapi.store.account_queries import beginnings, beginnings_without_words, filters
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.driver import Database
from flexiapi.store.listings import Listings

MOST_COUNTED = 10_000
SORTED_FIELDS: Mapping[SortKey, str] = {
    SortKey.ID: "_id",
    SortKey.USERNAME: "username",
    SortKey.UPDATED: "updated_at",
    SortKey.CREATED: "created_at",
}
_COUNT_MILLISECONDS = 1000
# MongoDB merges up to 200 ranges of an index without sorting.
_DOMAINS_AT_ONCE = 100

Sort = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class MatchingAccounts:
    """The accounts of a selection, as a query; `is_incomplete` if the search for its text ended early."""

    wanted: AccountSelection
    query: Document
    is_incomplete: bool = False


class AccountPages(Records):
    """Pages and totals of the accounts that match a selection."""

    def __init__(
        self, database: Database, documents: AccountDocuments, ranges: AccountRanges, listings: Listings
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._ranges = ranges
        self._listings = listings

    async def matching(self, wanted: AccountSelection) -> MatchingAccounts:
        """Return the query for a selection. With a text it looks for that elsewhere in words, for a second at most."""
        query = filters(wanted)
        if wanted.text is None:
            return MatchingAccounts(wanted, query)
        if not self._listings.has_words:
            return MatchingAccounts(wanted, {**query, "$or": beginnings_without_words(wanted.text)}, True)
        others, is_cut = await self._listings.with_other_parts(wanted, wanted.text)
        found = [*beginnings(wanted.text), *([{"_id": {"$in": others}}] if others else [])]
        return MatchingAccounts(wanted, {**query, "$or": found}, is_cut)

    async def page(
        self,
        matching: MatchingAccounts,
        order: AccountOrder,
        place: AccountPlace | None,
        limit: int,
        *,
        backwards: bool = False,
    ) -> AccountsSlice:
        """Return the accounts that follow a place, or with `backwards` those before it.

        Without a place these are the first accounts, or the last ones.
        """
        descending = order.descending is not backwards
        found: list[Account] = []
        for query, hint in await self._queries(matching, order.key):
            some = await self._read(query, hint, AccountOrder(order.key, descending), place, limit + 1)
            found = _merged(found, some, order, descending=descending)[: limit + 1]
        is_more, accounts = len(found) > limit, found[:limit]
        if backwards:
            return AccountsSlice(accounts[::-1], is_more, place is not None)
        return AccountsSlice(accounts, place is not None, is_more)

    async def _queries(self, matching: MatchingAccounts, key: SortKey) -> list[tuple[Document, Sort]]:
        """Return queries that an index answers in order, with that index: one, or one for each group of domains."""
        domain = matching.wanted.domain
        if domain is None and key is SortKey.ID:
            return [(matching.query, [("_id", 1)])]
        name = SORTED_FIELDS[key]
        index = [("domain", 1), *([] if key is SortKey.ID else [(name, 1)]), ("_id", 1)]
        if domain is not None:
            return [(matching.query, index)]
        domains = await self._domains()
        groups = [domains[at : at + _DOMAINS_AT_ONCE] for at in range(0, len(domains), _DOMAINS_AT_ONCE)]
        return [({**matching.query, "domain": {"$in": group}}, index) for group in groups]

    async def _domains(self) -> list[str]:
        """Return the domains that have accounts, in order."""
        # The keys of one domain follow each other: MongoDB skips from one to the next.
        return sorted(one for one in await self._accounts.distinct("domain") if isinstance(one, str))

    async def _read(
        self,
        query: Document,
        hint: Sort,
        order: AccountOrder,
        place: AccountPlace | None,
        limit: int,
    ) -> list[Account]:
        found: dict[int, Document] = {}
        for span, sort in spans(order, place):
            cursor = self._accounts.find({"$and": [query, span]} if span else query).sort(sort)
            cursor.limit(limit - len(found))
            if query.keys() <= {"domain"}:
                # With filters MongoDB finds out itself whether few match, and sorting these is faster.
                cursor.hint(hint)
            # An account that changes meanwhile may be found twice.
            found |= {document["_id"]: document for document in await cursor.to_list(None)}
            if len(found) >= limit:
                break
        return [self._documents.decode(document) for document in found.values()]

    async def total(self, matching: MatchingAccounts) -> AccountsTotal:
        """Return how many accounts match. Beyond 10,000 that is exact only without filters, or with few exceptions."""
        wanted = matching.wanted
        if wanted.is_whole_domain:
            return AccountsTotal(sum(await self._ranges.counts(wanted.domain)))
        if (exceptions := _exceptions(wanted)) is not None:
            few = await self._counted(filters(exceptions))
            if few.number is not None and not few.is_more:
                return AccountsTotal(sum(await self._ranges.counts(wanted.domain)) - few.number)
        return await self._counted(await self.counting(matching))

    async def counting(self, matching: MatchingAccounts) -> Document:
        """Return the query of a selection, in the form whose matches an index can count."""
        query = matching.query
        if matching.wanted.domain is None and "updated_at" in query:
            # The index of this time begins with the domain.
            return {**query, "domain": {"$in": await self._domains()}}
        return query

    async def _counted(self, query: Document) -> AccountsTotal:
        try:
            number = await self._accounts.count_documents(query, limit=MOST_COUNTED + 1, maxTimeMS=_COUNT_MILLISECONDS)
        except ExecutionTimeout:
            return AccountsTotal(None, is_more=True)
        return AccountsTotal(min(number, MOST_COUNTED), number > MOST_COUNTED)


def _exceptions(wanted: AccountSelection) -> AccountSelection | None:
    """Return the accounts of the domain that do not match, if they are usually few and found by an index."""
    if wanted == AccountSelection(wanted.domain, activated=True):
        return AccountSelection(wanted.domain, activated=False)
    if wanted == AccountSelection(wanted.domain, admin=False):
        return AccountSelection(wanted.domain, admin=True)
    if wanted == AccountSelection(wanted.domain, blocked=False):
        return AccountSelection(wanted.domain, blocked=True)
    return None


def spans(order: AccountOrder, place: AccountPlace | None) -> Iterator[tuple[Document, Sort]]:
    """Yield the queries for the accounts behind a place and their sorts: those with the same value, then the others.

    Of equal values only the ids are sorted, or MongoDB would not merge the domains along the index.
    """
    sign, beyond = (-1, "$lt") if order.descending else (1, "$gt")
    name, by_id = SORTED_FIELDS[order.key], [("_id", sign)]
    by_value = by_id if order.key is SortKey.ID else [(name, sign), *by_id]
    if place is None:
        yield {}, by_value
    elif order.key is SortKey.ID:
        yield {"_id": {beyond: place.id}}, by_id
    else:
        yield {name: place.value, "_id": {beyond: place.id}}, by_id
        yield {name: {beyond: place.value}}, by_value


def _merged(
    some: Sequence[Account], others: Sequence[Account], order: AccountOrder, *, descending: bool
) -> list[Account]:
    """Return accounts of several domains in order. Those of one read are in order already."""
    if not some or not others:
        return [*some, *others]

    def place(account: Account) -> tuple[object, int]:
        at = order.place_of(account)
        return at.value, at.id

    return sorted([*some, *others], key=place, reverse=descending)
