"""The driver: all that differs between Motor and PyMongo's own asynchronous client (decision 0093).

Both have the same collections, cursors and errors, which the rest of the store uses by PyMongo's types. Motor is the
driver, unless the environment variable `FLEXIAPI_DRIVER` is `pymongo`, which is for tests.
"""

import inspect
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

# Motor reads the variable when it is imported first, which is here.
os.environ.setdefault("MOTOR_MAX_WORKERS", "8")

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.database import AsyncDatabase

Client = AsyncMongoClient[dict[str, Any]]
Database = AsyncDatabase[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]
ChangeStream = AsyncChangeStream[dict[str, Any]]


class Driver(StrEnum):
    """A client that the store can work with."""

    MOTOR = "motor"
    PYMONGO = "pymongo"


def chosen() -> Driver:
    """Return the driver of the store."""
    return Driver(os.environ.get("FLEXIAPI_DRIVER", Driver.MOTOR))


def open_client(driver: Driver, uri: str, **options: Any) -> Client:
    """Return a client, without opening a connection. It belongs to the running event loop.

    Raises what PyMongo does for an invalid URI.
    """
    if driver is Driver.PYMONGO:
        return AsyncMongoClient(uri, **options)
    client: Any = AsyncIOMotorClient(uri, **options)
    return client  # type: ignore[no-any-return]  # it is used as PyMongo's


async def close(client: Client) -> None:
    """Close the connections of a client."""
    await _given(client.close())


async def aggregated(
    collection: Collection, pipeline: Sequence[Mapping[str, Any]], **options: Any
) -> list[dict[str, Any]]:
    """Return all documents of an aggregation."""
    cursor: AsyncCommandCursor[dict[str, Any]] = await _given(collection.aggregate(pipeline, **options))
    return await cursor.to_list(None)


async def watch(collection: Collection, pipeline: Sequence[Mapping[str, Any]], **options: Any) -> ChangeStream:
    """Return a change stream, which is a context manager."""
    stream: ChangeStream = await _given(collection.watch(pipeline, **options))
    return stream


async def _given(result: Any) -> Any:
    """Return what PyMongo's client gives to those who wait, and Motor at once."""
    return await result if inspect.isawaitable(result) else result
