"""Number of accounts in each range of ids, which gives the total and the start of any page.

MongoDB counts and skips index keys one by one. So a process remembers how many accounts of a domain lie in each range
of `RANGE` ids, and counts only the ranges that may have changed since. Ids are handed out in ascending order, so a
range that the counter has passed changes only by a removal, a change of domain, or a command that writes ids of its
own. Each of these first increments the range's revision in the database.

The change itself follows up to `settling` later, and so may the insertion of an id that was handed out. A number is
therefore remembered only if it was counted that long after this process first saw the range's revision.

Releases before step 1 of the layout announce in the collection `census`. While their servers may be running, changes
are announced there, too, and no number is remembered.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.read_concern import ReadConcern

from flexiapi.concurrency.coalescing import Batches, CoalescedReads
from flexiapi.store import driver
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

RANGE = 250
_REVISIONS = "account_ranges"
_RANGE_OF_CENSUS = 1000
_RECOUNT_SECONDS = 3600.0
_MOST_RANGES_AT_ONCE = 1000
_MOST_DOMAINS = 16

_Document = dict[str, Any]
_Span = tuple[str | None, int, int | None]


@dataclass(slots=True)
class _Range:
    """The state of a range in this process. Times are of the monotonic clock, in seconds."""

    revision: int
    seen_at: float
    accounts: int = 0
    valid_until: float = 0.0


class AccountRanges(Records, bounds=False):
    """The number of accounts in each range of ids. `settling` is longer than a change may follow its announcement."""

    def __init__(self, database: Database, settling: timedelta) -> None:
        super().__init__(database)
        # A crash or an election may take back what is not yet acknowledged by a majority: never remember that.
        durable = ReadConcern("majority")
        self._accounts = database.get_collection("accounts", read_concern=durable)
        self._counters = database.get_collection("counters", read_concern=durable)
        self._census = database["census"]
        self.has_older_servers = False
        self.settling = settling
        self._ranges: dict[str | None, list[_Range]] = {}
        self._spans = CoalescedReads[_Span, Mapping[int, int]](self._count)
        self._reads = Batches[None, Mapping[str, _Document]](self._read_counters)

    async def announce(self, account_ids: Iterable[int]) -> None:
        """Announce that accounts are about to be removed, moved to another domain, or written under these ids."""
        ids = list(account_ids)
        change = {"$inc": {f"revisions.{place}": 1 for place in {account_id // RANGE for account_id in ids}}}
        await self._counters.update_one({"_id": _REVISIONS}, change, upsert=True)
        if self.has_older_servers:
            await self._announce_to_census({account_id // _RANGE_OF_CENSUS for account_id in ids})

    async def _announce_to_census(self, places: Iterable[int]) -> None:
        """Invalidate the numbers that older servers remember, as these do themselves."""
        now = datetime.now(UTC) + self.settling
        settled_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        change = {
            "$unset": {f"figures.{place}": "" for place in places},
            "$max": {f"settling.{place}": settled_at for place in places},
        }
        await self._census.update_many({}, change)

    async def counts(self, domain: str | None) -> list[int]:
        """Return the number of accounts of the domain (`None`: of all) in each range, from the lowest ids on.

        The last range has no upper end.
        """
        ranges = await self._current(domain)
        began = time.monotonic()
        changing = [place for place, one in enumerate(ranges) if one.valid_until <= began]
        counted = await self._counted(domain, changing, len(ranges))
        settled = began - self.settling.total_seconds()
        for place in () if self.has_older_servers else changing:
            one = ranges[place]
            # Nothing can join a full range, and nothing was announced that could leave it.
            is_full = one.revision == 0 and counted[place] == _capacity(place)
            if is_full or one.seen_at <= settled:
                one.accounts, one.valid_until = counted[place], began + _RECOUNT_SECONDS
        return [*(counted.get(place, one.accounts) for place, one in enumerate(ranges)), counted[len(ranges)]]

    async def _current(self, domain: str | None) -> list[_Range]:
        """Return the ranges that the counter of ids has passed, anew where the revision is another."""
        found = await self._reads.add(None)
        passed = (int(found.get("accounts", {}).get("last", 0)) + 1) // RANGE
        if domain not in self._ranges and len(self._ranges) == _MOST_DOMAINS:
            self._ranges.clear()
        ranges = self._ranges.setdefault(domain, [])
        now = time.monotonic()
        ranges.extend(_Range(0, now) for _ in range(passed - len(ranges)))
        for name, revision in found.get(_REVISIONS, {}).get("revisions", {}).items():
            place = int(name)
            if place < passed and ranges[place].revision != revision:
                ranges[place] = _Range(revision, now)
        return ranges[:passed]

    async def _read_counters(self, asking: Sequence[None]) -> Sequence[Mapping[str, _Document]]:
        query = {"_id": {"$in": ["accounts", _REVISIONS]}}
        found: dict[str, _Document] = {one["_id"]: one for one in await self._counters.find(query).to_list(None)}
        return [found] * len(asking)

    async def _counted(self, domain: str | None, changing: Sequence[int], last: int) -> dict[int, int]:
        """Count the accounts in these ranges, and under `last` those from there on."""
        counted = dict.fromkeys([*changing, last], 0)
        for first, end in _runs([*changing, last]):
            numbers = await self._spans.get((domain, first, end if end <= last else None))
            for place, accounts in (numbers or {}).items():
                counted[min(place, last)] += accounts
        return counted

    async def _count(self, spans: Sequence[_Span]) -> Mapping[_Span, Mapping[int, int]]:
        counted: dict[_Span, Mapping[int, int]] = {}
        for domain, first, end in spans:
            ids = {"$gte": first * RANGE} | ({} if end is None else {"$lt": end * RANGE})
            pipeline: list[_Document] = [
                {"$match": {"_id": ids} if domain is None else {"domain": domain, "_id": ids}},
                {"$project": {"_id": 1}},
                {"$group": {"_id": {"$floor": {"$divide": ["$_id", RANGE]}}, "accounts": {"$sum": 1}}},
            ]
            found = await driver.aggregated(self._accounts, pipeline)
            counted[domain, first, end] = {int(one["_id"]): one["accounts"] for one in found}
        return counted


def _capacity(place: int) -> int:
    """Return how many ids a range has; the first id is 1."""
    return RANGE if place else RANGE - 1


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield neighbouring places together, as (first, end)."""
    first = end = places[0]
    for place in places:
        if place != end or place - first == _MOST_RANGES_AT_ONCE:
            yield first, end
            first = place
        end = place + 1
    yield first, end
