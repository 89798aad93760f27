"""The connection to MongoDB, and the translation of its failures."""

import asyncio
import functools
import inspect
import math
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from bson.codec_options import CodecOptions
from pymongo import WriteConcern
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)
from pymongo.errors import (
    ConfigurationError as UriError,
)

from flexiapi.errors import ConfigurationError, StoreUnavailable
from flexiapi.settings import MongodbSettings
from flexiapi.store import driver
from flexiapi.store.driver import Database, Driver
from flexiapi.store.outage import Outage, reason_of

P = ParamSpec("P")
R = TypeVar("R")

_HEARTBEAT_MILLISECONDS = 2000

_AWAY = (
    ConnectionFailure,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    NotPrimaryError,
    ExecutionTimeout,
    WaitQueueTimeoutError,
    WriteConcernError,
)
_AUTHORISATION_CODES = {13, 18}
_DUPLICATE = 11000


class WritesRefused(Exception):
    """MongoDB refused writes of a batch unexpectedly. The message has the codes only: MongoDB's own quotes the data."""

    def __init__(self, error: BulkWriteError) -> None:
        codes = sorted({failure["code"] for failure in error.details["writeErrors"]})
        super().__init__(f"MongoDB refused writes with the codes {codes}")


def open_database(settings: MongodbSettings, uri: str, outage: Outage, kind: Driver | None = None) -> Database:
    """Open the database with majority writes and bounded waits. Raises `ConfigurationError` for an invalid URI.

    The connection is for one event loop.
    """
    try:
        client = driver.open_client(kind or driver.chosen(), uri, event_listeners=[outage], **_client_options(settings))
    except (InvalidURI, UriError, ValueError) as error:
        raise ConfigurationError(f"mongodb.uri (MONGODB_URI) is wrong: {error}") from error
    return client.get_database(settings.database, **_database_options(settings))


def _client_options(settings: MongodbSettings) -> dict[str, Any]:
    milliseconds = int(settings.timeout_seconds * 1000)
    return {
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": milliseconds * 2,
        "waitQueueTimeoutMS": milliseconds,
        # How soon a server that refused connections is asked again; waiting operations ask twice a second.
        "heartbeatFrequencyMS": _HEARTBEAT_MILLISECONDS,
        "maxPoolSize": 16,
        "retryReads": True,
        "retryWrites": True,
        "appname": "flexiapi",
    }


def _database_options(settings: MongodbSettings) -> dict[str, Any]:
    return {
        "codec_options": CodecOptions(tz_aware=True),
        "write_concern": WriteConcern(w="majority", wtimeout=int(settings.timeout_seconds * 1000)),
    }


def translated(error: PyMongoError) -> Exception:
    """Return `StoreUnavailable` if MongoDB is away or did not acknowledge a write, else the error without data."""
    if isinstance(error, _AWAY) or error.has_error_label("RetryableWriteError"):
        return StoreUnavailable(reason_of(error))
    if isinstance(error, OperationFailure) and error.code in _AUTHORISATION_CODES:
        return StoreUnavailable(reason_of(error))
    if isinstance(error, BulkWriteError):
        is_unacknowledged = error.details["writeConcernErrors"]
        return StoreUnavailable("no majority has acknowledged a write") if is_unacknowledged else WritesRefused(error)
    return error


def duplicates(error: BulkWriteError) -> Sequence[Mapping[str, Any]]:
    """Return the writes that a unique index refused. Raises the error if there are other failures."""
    failures: Sequence[Mapping[str, Any]] = error.details["writeErrors"]
    if error.details["writeConcernErrors"] or any(failure["code"] != _DUPLICATE for failure in failures):
        raise error
    return failures


def translating(call: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Wrap a coroutine function so that it raises `StoreUnavailable` if MongoDB is away."""

    @functools.wraps(call)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except PyMongoError as error:
            told = translated(error)
            # A traceback would quote the cause.
            raise told from None if isinstance(told, WritesRefused) else error

    return wrapped


def bounded(call: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """Wrap a method so that it raises `StoreUnavailable` in time: at once if connections are refused.

    The driver's own times are for each of its steps and tries. A write that was sent may still take effect.
    """

    @functools.wraps(call)
    async def wrapped(store: "Translating", *args: Any, **kwargs: Any) -> R:
        if store.outage is not None and store.outage.refusal:
            raise StoreUnavailable(store.outage.refusal)
        begun = store.deadlines.begin()
        try:
            return await call(store, *args, **kwargs)
        except BaseException as error:
            if begun.is_late and begun.task.uncancel() <= begun.cancellations and isinstance(error, CancelledError):
                raise StoreUnavailable(f"no answer within {store.deadlines.seconds:g} seconds") from error
            raise
        finally:
            store.deadlines.finish(begun)

    return wrapped


class Begun:
    """An operation under way, by the event loop's clock, and the cancellations that its task had when it began."""

    __slots__ = ("cancellations", "is_late", "task", "until")

    def __init__(self, task: "asyncio.Task[Any]", until: float) -> None:
        self.task = task
        self.until = until
        self.cancellations = task.cancelling()
        self.is_late = False


class Deadlines:
    """Cancels operations that take longer than `seconds`, with one timer for all.

    `asyncio.timeout` does the same with a timer for each, which takes as long as decoding an account (decision 0085).
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._begun: dict[int, Begun] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = math.inf

    def begin(self) -> Begun:
        """Note that the current task begins an operation."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        begun = Begun(task, loop.time() + self.seconds)
        self._begun[id(begun)] = begun
        if begun.until < self._next or loop is not self._loop:
            self._look_at(loop, begun.until)
        return begun

    def finish(self, begun: Begun) -> None:
        """Forget an operation."""
        self._begun.pop(id(begun), None)

    def _look_at(self, loop: asyncio.AbstractEventLoop, time: float) -> None:
        self._loop, self._next = loop, time
        loop.call_at(time, self._look, time)

    def _look(self, planned: float) -> None:
        if planned != self._next:
            return
        loop = asyncio.get_running_loop()
        now, self._next = loop.time(), math.inf
        for begun in [begun for begun in self._begun.values() if begun.until <= now]:
            self.finish(begun)
            begun.is_late = True
            begun.task.cancel()
        if self._begun:
            self._look_at(loop, min(begun.until for begun in self._begun.values()))


class Translating:
    """Base class of all users of MongoDB: its public operations are wrapped by `translating` and `bounded`.

    With `bounds=False` in the class statement an operation may take longer than `mongodb.timeout_seconds`.
    """

    outage: Outage | None = None
    deadlines: Deadlines

    def __init_subclass__(cls, *, bounds: bool = True) -> None:
        """Wrap the public coroutine methods."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(member):
                setattr(cls, name, translating(bounded(member) if bounds else member))


class Records(Translating):
    """Base class of the stores that share the connection of `open_database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        options: Any = database.client.options
        self.deadlines = Deadlines(options.server_selection_timeout)
        self.outage = next((one for one in options.event_listeners if isinstance(one, Outage)), None)
