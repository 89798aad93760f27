"""One use of a backend, from its start to its end, and the failure that it must end with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from flexiapi.plugin import Backend, DeliveryError

B = TypeVar("B", bound=Backend[Any, Any])
T = TypeVar("T")


@asynccontextmanager
async def running_backend(backend: B) -> AsyncIterator[B]:
    """Start a backend, and close it at the end."""
    await backend.start()
    try:
        yield backend
    finally:
        await backend.close()


def run_backend(backend: B, use: Callable[[B], Awaitable[T]]) -> T:
    """Start a backend on an event loop of its own, use it, close it, and return the result."""

    async def whole() -> T:
        async with running_backend(backend):
            return await use(backend)

    return asyncio.run(whole())


def failure_of(send: Callable[[], object], *private: str) -> DeliveryError:
    """Return the failure that a call raises. Its reason is logged, so it must contain none of the private texts."""
    with pytest.raises(DeliveryError) as caught:
        send()
    assert_discreet(caught.value, *private)
    return caught.value


def assert_discreet(error: DeliveryError, *private: str) -> None:
    """Fail if the reason of a failure contains one of the private texts."""
    told = [text for text in private if text in error.reason]
    assert told == [], "the reason of a failure is logged: it must not tell for whom the message is or what it holds"
