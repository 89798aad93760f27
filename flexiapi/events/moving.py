"""Move of the events of this process from the changed documents into `events`, in batches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from flexiapi.errors import StoreUnavailable
from flexiapi.observing import log
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
        mover = asyncio.create_task(self._move_for_ever(may_work))
        try:
            yield
        finally:
            mover.cancel()
            await asyncio.wait({mover})
            if may_work():
                await self._move_or_log()

    async def _move_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            await self._pending.noted.wait()
            await asyncio.sleep(GATHER_SECONDS)
            if not (may_work() and await self._move_or_log()):
                await asyncio.sleep(RETRY_SECONDS)

    async def _move_or_log(self) -> bool:
        try:
            await self._pending.move()
        except StoreUnavailable:
            log.debug("events not moved", reason="the database is away")  # that is in the log already
        except Exception:  # noqa: BLE001  # the events stay where they are, and the next try may succeed
            log.error("events not moved", exc_info=True)
        else:
            return True
        return False
