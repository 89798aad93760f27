"""Counters of limits, shared by all server processes: one atomic update each, removed when their window ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, WriteConcern

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database


@dataclass(frozen=True, slots=True)
class Count:
    """The count in a window, and the end of the window. `beside` is what was counted together with the subject."""

    number: int
    ends_at: datetime
    beside: str = ""


class LimitCounters(Records):
    """Counts events per name and subject in windows; each window begins with its first event."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._limits = database.get_collection("limits", write_concern=WriteConcern(w=1))

    async def count(self, name: str, subject: str, window: timedelta, now: datetime) -> Count:
        """Count one event and return the count in the window."""
        is_open = {"$gt": ["$expires_at", now]}
        change = {
            "count": {"$cond": [is_open, {"$add": ["$count", 1]}, 1]},
            "expires_at": {"$cond": [is_open, "$expires_at", now + window]},
        }
        document: Any = await self._limits.find_one_and_update(
            {"_id": _place(name, subject)}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
        )
        return Count(int(document["count"]), document["expires_at"])

    async def take(self, name: str, subject: str, window: timedelta, most: int, now: datetime) -> datetime | None:
        """Count one event unless `most` are counted in the window. Return its end if so, `None` if this was counted."""
        is_open = {"$gt": ["$expires_at", now]}
        change = {
            "count": {"$cond": [is_open, {"$min": [{"$add": ["$count", 1]}, {"$max": ["$count", most]}]}, 1]},
            "expires_at": {"$cond": [is_open, "$expires_at", now + window]},
        }
        before = await self._limits.find_one_and_update(
            {"_id": _place(name, subject)}, [{"$set": change}], upsert=True, return_document=ReturnDocument.BEFORE
        )
        if before is None or before["expires_at"] <= now or before["count"] < most:
            return None
        ends_at: datetime = before["expires_at"]
        return ends_at

    async def standing(self, name: str, subject: str, now: datetime) -> list[Count]:
        """Return the open counts of a subject, alone and together with others, such as a network."""
        found = self._limits.find({**_of(name, subject), "expires_at": {"$gt": now}})
        return [
            Count(int(one["count"]), one["expires_at"], one["_id"].removeprefix(_place(name, subject)).strip())
            async for one in found
        ]

    async def open_counts(self, places: Mapping[str, tuple[str, str]], now: datetime) -> dict[str, Count]:
        """Return the open counts of some names and subjects, each under its key in `places`."""
        keys = {_place(*place): key for key, place in places.items()}
        found = self._limits.find({"_id": {"$in": list(keys)}, "expires_at": {"$gt": now}})
        return {keys[one["_id"]]: Count(int(one["count"]), one["expires_at"]) async for one in found}

    async def forget(self, name: str, subject: str) -> None:
        """Forget all counts of a subject, alone and together with others."""
        await self._limits.delete_many(_of(name, subject))

    async def give_back(self, name: str, subject: str, last_end: datetime | None = None) -> None:
        """Undo one count, because the counted event did not happen; not in a window that ends later than `last_end`."""
        counted = {"_id": _place(name, subject), "count": {"$gt": 0}}
        if last_end is not None:
            counted["expires_at"] = {"$lte": last_end}
        await self._limits.update_one(counted, {"$inc": {"count": -1}})


def _of(name: str, subject: str) -> dict[str, Any]:
    """Return the query for the counts of a subject; what is counted beside it follows a blank."""
    place = _place(name, subject)
    return {"$or": [{"_id": place}, {"_id": {"$gte": f"{place} ", "$lt": f"{place}!"}}]}


def _place(name: str, subject: str) -> str:
    return f"{name}:{subject}"
