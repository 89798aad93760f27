"""Move of the events of this process from the changed documents into `events`, in batches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.store.pending_events import PendingEvents

GATHER_SECONDS = 0.03
RETRY_SECONDS = 2.0


class Moving:
    """The move of events, as long as a block runs and to the end of what it changed."""

    def __init__(self, pending: PendingEvents) -> None:
        self._pending = pending

    @contextlib.asynccontextmanager
    async def running(self, may_work: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """Move the events of changes that are made in the block; at its end, the rest of them.

        While the process may not work, they are left to others.
        """
        try:
            async with beside(self._move_for_ever(may_work)):
                yield
        finally:
            if may_work():
                await self._move()

    async def _move_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            await self._pending.noted.wait()
            await asyncio.sleep(GATHER_SECONDS)
            if not (may_work() and await self._move()):
                await asyncio.sleep(RETRY_SECONDS)

    async def _move(self) -> bool:
        return await attempted(self._pending.move(), "events not moved")  # if it fails, they stay where they are
