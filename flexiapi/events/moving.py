"""Move of the events of this process from the changed documents into `events`, in batches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

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
    async def running(self) -> AsyncIterator[None]:
        """Move the events of changes that are made in the block; at its end, the rest of them."""
        mover = asyncio.create_task(self._move_for_ever())
        try:
            yield
        finally:
            mover.cancel()
            await asyncio.wait({mover})
            await self._move_or_log()

    async def _move_for_ever(self) -> None:
        while True:
            await self._pending.noted.wait()
            await asyncio.sleep(GATHER_SECONDS)
            if not await self._move_or_log():
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
