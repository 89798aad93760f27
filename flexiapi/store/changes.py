"""Changes of accounts, from MongoDB's change stream: those of servers that write no events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from flexiapi.errors import ChangesLost, ChangesUnsupported, StoreUnavailable
from flexiapi.store import driver
from flexiapi.store.connection import Records, translated
from flexiapi.store.driver import ChangeStream

_ONLY_ON_REPLICA_SETS = 40573
_WAIT_MILLISECONDS = 1000
# Uses of API keys are frequent and concern no follower. Neither do the events that documents carry, nor a step of the
# layout that writes a revision or words alone.
_QUIET = "^(api_key|revision|words|pending_events|pending_since)"
_FIELDS = {
    "$concatArrays": [
        {"$map": {"input": {"$objectToArray": "$updateDescription.updatedFields"}, "in": "$$this.k"}},
        "$updateDescription.removedFields",
    ]
}
_LOUD = {"$filter": {"input": _FIELDS, "cond": {"$not": [{"$regexMatch": {"input": "$$this", "regex": _QUIET}}]}}}
_PIPELINE: list[dict[str, Any]] = [
    {"$match": {"$or": [{"operationType": {"$ne": "update"}}, {"$expr": {"$gt": [{"$size": _LOUD}, 0]}}]}},
    {"$project": {"documentKey": 1}},
]


class ChangeFeed:
    """The changes after a position."""

    def __init__(self, stream: ChangeStream, position: str | None) -> None:
        self._stream = stream
        self._start = position

    async def next(self) -> int | None:
        """Return the id of the next changed account, or `None` after a second without changes.

        Raises `ChangesLost` or `StoreUnavailable`.
        """
        with _telling(self.position):
            change = await self._stream.try_next()
        if change is None:
            return None
        if "documentKey" not in change:
            raise ChangesLost
        return int(change["documentKey"]["_id"])

    @property
    def position(self) -> str | None:
        """The position after the last change that `next` returned; `None` before the first."""
        token = self._stream.resume_token
        return self._start if token is None else str(token["_data"])


class AccountChanges(Records, bounds=False):
    """The ids of changed accounts. The reader looks up their present state."""

    @asynccontextmanager
    async def watch(self, position: str | None) -> AsyncIterator[ChangeFeed]:
        """Follow the changes after the position, or from now on, except uses of API keys.

        Raises `ChangesLost` if MongoDB no longer has the position, `ChangesUnsupported`, or `StoreUnavailable`.
        """
        with _telling(position):
            stream = await driver.watch(
                self._database["accounts"],
                _PIPELINE,
                resume_after=None if position is None else {"_data": position},
                max_await_time_ms=_WAIT_MILLISECONDS,
                batch_size=1000,
            )
            async with stream:
                yield ChangeFeed(stream, position)


@contextmanager
def _telling(position: str | None) -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        told = translated(error)
        if isinstance(told, StoreUnavailable) or not isinstance(error, OperationFailure):
            raise told from error
        if error.code == _ONLY_ON_REPLICA_SETS:
            raise ChangesUnsupported from error
        raise (ChangesLost if position is not None else told) from error
