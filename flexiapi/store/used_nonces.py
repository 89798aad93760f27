"""Used nonces, each with the highest count seen; other nonces are not stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pymongo.errors import BulkWriteError

from flexiapi.concurrency.coalescing import Batches
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.driver import Database

_NO_COUNT_IS_GREATER = 2**32

Use = tuple[str, int, datetime]


class NonceUse(StrEnum):
    """The outcome of using a nonce."""

    COUNTED = "counted"
    REPLAYED = "replayed"
    ENDED = "ended"


def _use_of(last: int | None, count: int) -> NonceUse:
    if last is None or last >= _NO_COUNT_IS_GREATER:
        return NonceUse.ENDED
    return NonceUse.COUNTED if last < count else NonceUse.REPLAYED


class UsedNonceStore(Records):
    """Refuses a count that is not greater than the last one of its nonce, and invalidates the nonce then.

    Each use is one atomic write, so this also holds among parallel requests. A use is kept for one `life` of nonces
    longer than its nonce lives: MongoDB removes it by its own clock, and that of the server may be behind.
    """

    def __init__(self, database: Database, life: timedelta) -> None:
        super().__init__(database)
        self._life = life
        self._nonces = database["used_nonces"]
        self._first_uses: Batches[Use, bool] = Batches(self._insert, in_flight=2)

    async def use(self, nonce: str, count: int, expires_at: datetime) -> NonceUse:
        """Note the use of a nonce. A count that is not greater than the last one invalidates it."""
        if count != 1 and (last := await self._raise(nonce, count)) is not None:
            return _use_of(last, count)
        # The count before the first use is 0, which 0 does not exceed, so a count of 0 invalidates the nonce too.
        if await self._first_uses.add((nonce, count or _NO_COUNT_IS_GREATER, expires_at)):
            return NonceUse.COUNTED if count else NonceUse.REPLAYED
        return _use_of(await self._raise(nonce, count), count)

    async def _insert(self, uses: Sequence[Use]) -> list[bool | BaseException]:
        results: list[bool | BaseException] = [True] * len(uses)
        documents = [{"_id": nonce, "nc": count, "expires_at": until + self._life} for nonce, count, until in uses]
        try:
            await self._nonces.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in duplicates(error):
                results[failure["index"]] = False
        return results

    async def _raise(self, nonce: str, count: int) -> int | None:
        """Raise the count of a nonce, or invalidate it. Return the former count, or `None` for an unknown nonce."""
        raised = {"$cond": [{"$lt": ["$nc", count]}, count, _NO_COUNT_IS_GREATER]}
        before = await self._nonces.find_one_and_update({"_id": nonce}, [{"$set": {"nc": raised}}])
        return None if before is None else int(before["nc"])

    async def end(self, expiring_before: datetime, now: datetime) -> int:
        """Invalidate the nonces that would expire before that. Return their number.

        Records are removed once they are kept no longer, because a nonce without record could be used again.
        """
        removed = (await self._nonces.delete_many({"expires_at": {"$lte": now}})).deleted_count
        query = {"expires_at": {"$lte": expiring_before + self._life}, "nc": {"$lt": _NO_COUNT_IS_GREATER}}
        ended = await self._nonces.update_many(query, {"$set": {"nc": _NO_COUNT_IS_GREATER}})
        return removed + ended.modified_count
