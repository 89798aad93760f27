"""The connection to MongoDB, and the translation of its failures."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
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


def open_database(settings: MongodbSettings, uri: str) -> "AsyncIOMotorDatabase[dict[str, Any]]":
    """Open the database with majority writes and bounded waits. Raises `ConfigurationError` for an invalid URI."""
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri, event_listeners=[Outage()], **_client_options(settings)
        )
    except (InvalidURI, UriError, ValueError) as error:
        raise ConfigurationError(f"mongodb.uri (MONGODB_URI) is wrong: {error}") from error
    return client.get_database(settings.database, **_database_options(settings))


def open_native_database(settings: MongodbSettings, uri: str, outage: Outage) -> AsyncDatabase[dict[str, Any]]:
    """Open the database with PyMongo's asynchronous client (decision 0044), for the running event loop only."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        uri, event_listeners=[outage], **_client_options(settings)
    )
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
        try:
            async with asyncio.timeout(store.seconds):
                return await call(store, *args, **kwargs)
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer within {store.seconds:g} seconds") from error

    return wrapped


class Translating:
    """Base class of all users of MongoDB: its public operations are wrapped by `translating` and `bounded`.

    With `bounds=False` in the class statement an operation may take longer than `mongodb.timeout_seconds`.
    """

    outage: Outage | None = None
    seconds: float | None = None

    def __init_subclass__(cls, *, bounds: bool = True) -> None:
        """Wrap the public coroutine methods."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(member):
                setattr(cls, name, translating(bounded(member) if bounds else member))


class Records(Translating):
    """Base class of the stores that use Motor."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        self._database = database
        options: Any = database.client.options
        self.seconds = options.server_selection_timeout
        self.outage = next((one for one in options.event_listeners if isinstance(one, Outage)), None)
