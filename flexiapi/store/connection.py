"""The connection to MongoDB, and the translation of its failures."""

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


def open_native_database(settings: MongodbSettings, uri: str) -> AsyncDatabase[dict[str, Any]]:
    """Open the database with PyMongo's asynchronous client (decision 0044), for the running event loop only."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri, **_client_options(settings))
    return client.get_database(settings.database, **_database_options(settings))


def _client_options(settings: MongodbSettings) -> dict[str, Any]:
    milliseconds = int(settings.timeout_seconds * 1000)
    return {
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": milliseconds * 2,
        "waitQueueTimeoutMS": milliseconds,
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


class Translating:
    """Base class of all users of MongoDB: its public operations are wrapped by `translating`."""

    def __init_subclass__(cls) -> None:
        """Wrap the public coroutine methods."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(member):
                setattr(cls, name, translating(member))


class Records(Translating):
    """Base class of the stores that use Motor."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        self._database = database
