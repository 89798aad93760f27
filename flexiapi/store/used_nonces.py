"""Nonces that were used, each with the highest count seen; the only part of DIGEST that is stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import BulkWriteError

from flexiapi.store.coalesce import Batches
from flexiapi.store.connection import Records, duplicates

_NO_COUNT_IS_GREATER = 2**32

Use = tuple[str, int, datetime]


class UsedNonces(Records):
    """Refuses a count that is not greater than the last one of its nonce, also among parallel requests."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._nonces = database["used_nonces"]
        self._first_uses: Batches[Use, bool] = Batches(self._insert, in_flight=2)

    async def use(self, nonce: str, count: int, expires_at: datetime) -> bool:
        """Note the use of a nonce; `False` when this count, or a greater one, was used before."""
        if count == 1:
            return await self._first_uses.add((nonce, count, expires_at))
        return await self._raise(nonce, count, expires_at)

    async def _insert(self, uses: Sequence[Use]) -> list[bool | BaseException]:
        results: list[bool | BaseException] = [True] * len(uses)
        documents = [{"_id": nonce, "nc": count, "expires_at": expires_at} for nonce, count, expires_at in uses]
        try:
            await self._nonces.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in duplicates(error):
                results[failure["index"]] = False
        return results

    async def _raise(self, nonce: str, count: int, expires_at: datetime) -> bool:
        query = {"_id": nonce, "nc": {"$lt": count}}
        result = await self._nonces.update_one(query, {"$set": {"nc": count}})
        if result.matched_count:
            return True
        return await self._first_uses.add((nonce, count, expires_at)) if not await self._is_known(nonce) else False

    async def _is_known(self, nonce: str) -> bool:
        return await self._nonces.find_one({"_id": nonce}, {"_id": 1}) is not None

    async def end(self, expiring_before: datetime, now: datetime) -> int:
        """End the nonces that would expire before that; how many.

        Those that have not expired yet stay on record, for a nonce that is forgotten could be used anew.
        """
        removed = (await self._nonces.delete_many({"expires_at": {"$lte": now}})).deleted_count
        query = {"expires_at": {"$lte": expiring_before}, "nc": {"$lt": _NO_COUNT_IS_GREATER}}
        ended = await self._nonces.update_many(query, {"$set": {"nc": _NO_COUNT_IS_GREATER}})
        return removed + ended.modified_count

    async def clear(self, expired_before: datetime) -> int:
        """Remove those whose time ended before; how many."""
        return (await self._nonces.delete_many({"expires_at": {"$lt": expired_before}})).deleted_count
