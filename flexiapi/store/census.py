"""How many accounts lie in each range of ids, so that the first page and the ten-thousandth cost the same.

Ids are handed out in order, so a range that has been passed by the counter only ever changes by a removal, by a
change of domain, or by a command that writes ids of its own. Each of those unsettles its range first. A range is
counted anew for every page until nothing has happened to it for longer than any write can take, or until it is full
and nobody can join it; only then its figure is kept. Whatever crashes in between leaves ranges that are counted, never
figures that are wrong.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateMany, UpdateOne
from pymongo.errors import DuplicateKeyError

from flexiapi.store.connection import Records

RANGE = 1000
EVERYWHERE = "*"
_MOST_RUNS = 8
_MOST_KEPT_AT_ONCE = 500

Document = dict[str, Any]


class Census(Records):
    """Figures per domain and range of `RANGE` ids; one small document per domain that somebody has looked at.

    `domain` is the one that administrators see, `None` for all; its document is there before the first change, so
    its full ranges need not settle. `settling` is longer than any write may take.
    """

    def __init__(
        self, database: "AsyncIOMotorDatabase[dict[str, Any]]", domain: str | None, settling: timedelta
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._counters = database["counters"]
        self._figures = database["census"]
        self._own = domain or EVERYWHERE
        self.settling = settling

    async def unsettle(self, account_ids: Iterable[int]) -> None:
        """Let nobody trust the figures of these accounts' ranges; to be called before they are changed."""
        places = {account_id // RANGE for account_id in account_ids}
        change = {
            "$unset": {f"figures.{place}": "" for place in places},
            "$max": {f"settling.{place}": self._settled_at() for place in places},
        }
        own = {"_id": self._own}
        await self._figures.bulk_write(
            [UpdateOne(own, change, upsert=True), UpdateMany({"_id": {"$ne": self._own}}, change)]
        )

    async def ranges(self, domain: str | None) -> list[int]:
        """How many accounts of the domain (`None`: of all) lie in each range, from the lowest ids on."""
        scope = domain or EVERYWHERE
        kept, counter = await asyncio.gather(
            self._figures.find_one({"_id": scope}), self._counters.find_one({"_id": "accounts"})
        )
        last = int(counter["last"]) if counter else 0
        known: Document = (kept or {}).get("figures", {})
        size = last // RANGE + 1
        unknown = [place for place in range(size) if str(place) not in known]
        counted = await self._counted(domain, unknown)
        await self._keep(scope, kept, counted, full=(last + 1) // RANGE)
        return [known[key] if (key := str(place)) in known else counted.get(place, 0) for place in range(size)]

    async def _counted(self, domain: str | None, places: Sequence[int]) -> dict[int, int]:
        runs = list(_runs(places))
        if len(runs) > _MOST_RUNS:
            runs = [(places[0], places[-1] + 1)]
        counted: dict[int, int] = dict.fromkeys(places, 0)
        for first, end in runs:
            ids = {"$gte": first * RANGE, "$lt": end * RANGE}
            match = {"_id": ids} if domain is None else {"domain": domain, "_id": ids}
            pipeline: list[Document] = [
                {"$match": match},
                {"$project": {"_id": 1}},
                {"$group": {"_id": {"$floor": {"$divide": ["$_id", RANGE]}}, "accounts": {"$sum": 1}}},
            ]
            async for found in self._accounts.aggregate(pipeline):
                counted[int(found["_id"])] = found["accounts"]
        return counted

    async def _keep(self, scope: str, kept: Document | None, counted: dict[int, int], full: int) -> None:
        """Keep the figures of ranges that have settled or are full, and note since when the others settle."""
        settling: Document = (kept or {}).get("settling", {})
        now = datetime.now(UTC)
        new = [place for place in counted if place < full and str(place) not in settling]
        closed = {place for place in new if scope == self._own and counted[place] == _capacity(place)}
        open_ends = {f"settling.{place}": self._settled_at() for place in new if place not in closed}
        if open_ends:
            await self._figures.update_one({"_id": scope}, {"$max": open_ends}, upsert=True)
        settled = [p for p in counted if p < full and (end := settling.get(str(p))) is not None and end <= now]
        for some in _chunks([*sorted(closed), *settled]):
            await self._keep_some(scope, {place: settling.get(str(place)) for place in some}, counted)

    async def _keep_some(self, scope: str, seen: Mapping[int, datetime | None], counted: dict[int, int]) -> None:
        """Keep figures unless a change has unsettled one of them since, or somebody else has kept it."""
        query: Document = {"_id": scope}
        for place, end in seen.items():
            query[f"settling.{place}"] = {"$exists": False} if end is None else end
            query[f"figures.{place}"] = {"$exists": False}
        change = {
            "$set": {f"figures.{place}": counted[place] for place in seen},
            "$unset": {f"settling.{place}": "" for place in seen},
        }
        with contextlib.suppress(DuplicateKeyError):
            await self._figures.update_one(query, change, upsert=scope == self._own)

    def _settled_at(self) -> datetime:
        # MongoDB keeps milliseconds, and the value is compared with what was read back.
        now = datetime.now(UTC) + self.settling
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _capacity(place: int) -> int:
    """How many ids a range has; the first id is 1."""
    return RANGE if place else RANGE - 1


def _chunks(places: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(places), _MOST_KEPT_AT_ONCE):
        yield places[start : start + _MOST_KEPT_AT_ONCE]


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring places as (first, end)."""
    if not places:
        return
    first = places[0]
    for before, place in pairwise(places):
        if place != before + 1:
            yield first, before + 1
            first = place
    yield first, places[-1] + 1
