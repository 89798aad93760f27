"""Tasks beside a block of code, such as the loops of a server process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any

from flexiapi.errors import StoreUnavailable
from flexiapi.observing import log

AGAIN_SECONDS = 2.0
"""Time between cancellations of a task that goes on: time enough to give back a lease."""

LAST_SECONDS = 10.0
"""Time that errands get to end when the server stops."""


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines beside the block. At its end, cancel them and wait until they have ended.

    The failure of one is logged when it happens, and ends neither the block nor the others: the block may run for
    months before its end.
    """
    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(_tell)
    try:
        yield
    finally:
        # A failure at the moment of a cancellation undoes that, so once may not be enough.
        while going_on := [task for task in tasks if not task.done()]:
            for task in going_on:
                task.cancel()
            await asyncio.wait(going_on, timeout=AGAIN_SECONDS)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task ended that should go on", exc_info=error)


class Errands:
    """Short tasks that no request waits for, such as the sending of a mail whose recipient must not be told of."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the request. Its failure is logged."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an errand failed", exc_info=error)

    async def finished(self) -> None:
        """Wait for the tasks that are under way, and cancel those that take too long."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=LAST_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=AGAIN_SECONDS)


async def attempted(call: Awaitable[object], failure: str) -> bool:
    """Wait for a call that a loop repeats, and return whether it succeeded. Log `failure` if not."""
    try:
        await call
    except StoreUnavailable as error:
        log.debug(failure, reason=error.reason)  # that the database is away is in the log already
    except Exception:  # noqa: BLE001  # the next try may succeed
        log.error(failure, exc_info=True)
    else:
        return True
    return False
