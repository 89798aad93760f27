"""Marks of the places that an account has signed in from, by which a new one is noticed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

_MOST_MARKS = 40


class SignInPlaceStore(Records):
    """The last marks of each account. They are hashes, which tell nothing without the application key."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._places = database["sign_in_places"]

    async def note(self, account_id: int, marks: Sequence[bytes], expires_at: datetime) -> bool:
        """Remember the marks of a sign-in. Return whether all of them were known before."""
        others: Any = {
            "$filter": {"input": {"$ifNull": ["$marks", []]}, "cond": {"$not": {"$in": ["$$this", list(marks)]}}}
        }
        last = {"$slice": [{"$concatArrays": [others, list(marks)]}, -_MOST_MARKS]}
        before = await self._places.find_one_and_update(
            {"_id": account_id},
            [{"$set": {"marks": last, "expires_at": expires_at}}],
            upsert=True,
            return_document=ReturnDocument.BEFORE,
        )
        return before is not None and set(marks) <= {bytes(mark) for mark in before["marks"]}

    async def remove_of(self, account_id: int) -> None:
        """Forget the places of a removed account."""
        await self._places.delete_one({"_id": account_id})
