"""The connection to MongoDB, and the one place where its failures become ours."""

import functools
import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

os.environ.setdefault("MOTOR_MAX_WORKERS", "8")

from bson.codec_options import CodecOptions  # Motor reads the variable when it is imported
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import (
    ConfigurationError as UriError,
)
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from flexiapi.errors import ConfigurationError, StoreUnavailable
from flexiapi.settings import Mongodb

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = (
    ConnectionFailure,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    NotPrimaryError,
    ExecutionTimeout,
    WaitQueueTimeoutError,
)
_AUTHORISATION_CODES = {13, 18}


def open_database(settings: Mongodb, uri: str) -> "AsyncIOMotorDatabase[dict[str, Any]]":
    """The database, majority-written, with bounded waits. Raises `ConfigurationError` for a wrong URI."""
    milliseconds = int(settings.timeout_seconds * 1000)
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds * 2,
            waitQueueTimeoutMS=milliseconds,
            maxPoolSize=16,
            retryReads=True,
            retryWrites=True,
            appname="flexiapi",
        )
    except (InvalidURI, UriError, ValueError) as error:
        raise ConfigurationError(f"mongodb.uri (MONGODB_URI) is wrong: {error}") from error
    return client.get_database(
        settings.database,
        codec_options=CodecOptions(tz_aware=True),
        write_concern=WriteConcern(w="majority", wtimeout=milliseconds),
    )


def translated(error: PyMongoError) -> Exception:
    """`StoreUnavailable` for a MongoDB that is away, else the error itself."""
    if isinstance(error, _AWAY) or error.has_error_label("RetryableWriteError"):
        return StoreUnavailable()
    if isinstance(error, OperationFailure) and error.code in _AUTHORISATION_CODES:
        return StoreUnavailable()
    return error


def translating(call: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The call, with a MongoDB that is away told as `StoreUnavailable`."""

    @functools.wraps(call)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except PyMongoError as error:
            raise translated(error) from error

    return wrapped


class Records:
    """The base of everything that keeps records: all its public operations are `translating`."""

    def __init_subclass__(cls) -> None:
        """Wrap the public coroutine methods."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(member):
                setattr(cls, name, translating(member))

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        self._database = database
