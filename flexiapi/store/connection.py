"""The connection to MongoDB, and the one place where its failures become ours."""

import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

os.environ.setdefault("MOTOR_MAX_WORKERS", "8")

from bson.codec_options import CodecOptions  # Motor reads the variable when it is imported
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
    """MongoDB refused writes of a batch, and nobody foresaw that. Only the codes stand in it: its text has the data."""

    def __init__(self, error: BulkWriteError) -> None:
        codes = sorted({failure["code"] for failure in error.details["writeErrors"]})
        super().__init__(f"MongoDB refused writes with the codes {codes}")


def open_database(settings: MongodbSettings, uri: str) -> "AsyncIOMotorDatabase[dict[str, Any]]":
    """The database, majority-written, with bounded waits. Raises `ConfigurationError` for a wrong URI."""
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri, event_listeners=[Outage()], **_client_options(settings)
        )
    except (InvalidURI, UriError, ValueError) as error:
        raise ConfigurationError(f"mongodb.uri (MONGODB_URI) is wrong: {error}") from error
    return client.get_database(settings.database, **_database_options(settings))


def open_native_database(settings: MongodbSettings, uri: str) -> AsyncDatabase[dict[str, Any]]:
    """The same by PyMongo's own asynchronous client (decision 0044). It belongs to the running event loop."""
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
    """`StoreUnavailable` for a MongoDB that is away or did not acknowledge a write, else the error without data."""
    if isinstance(error, _AWAY) or error.has_error_label("RetryableWriteError"):
        return StoreUnavailable(reason_of(error))
    if isinstance(error, OperationFailure) and error.code in _AUTHORISATION_CODES:
        return StoreUnavailable(reason_of(error))
    if isinstance(error, BulkWriteError):
        is_unacknowledged = error.details["writeConcernErrors"]
        return StoreUnavailable("no majority has acknowledged a write") if is_unacknowledged else WritesRefused(error)
    return error


def duplicates(error: BulkWriteError) -> Sequence[Mapping[str, Any]]:
    """The writes that were refused because of what a unique index holds. Raises the error if it tells of more."""
    failures: Sequence[Mapping[str, Any]] = error.details["writeErrors"]
    if error.details["writeConcernErrors"] or any(failure["code"] != _DUPLICATE for failure in failures):
        raise error
    return failures


def translating(call: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The call, with a MongoDB that is away told as `StoreUnavailable`."""

    @functools.wraps(call)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except PyMongoError as error:
            told = translated(error)
            # A trace would quote the cause.
            raise told from None if isinstance(told, WritesRefused) else error

    return wrapped


class Translating:
    """The base of everything that asks MongoDB: all its public operations are `translating`."""

    def __init_subclass__(cls) -> None:
        """Wrap the public coroutine methods."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(member):
                setattr(cls, name, translating(member))


class Records(Translating):
    """The base of everything that keeps records by Motor."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        self._database = database
