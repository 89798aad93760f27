"""Detection of a blocked event loop."""

import asyncio
from typing import Self

_TURN_SECONDS = 0.01


class LoopWatch:
    """Watches the running event loop: `stalled` is done once `seconds` have passed between two iterations.

    A machine that pauses stalls its loops too, but a call that blocks for so long is always noticed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self.stalled: asyncio.Future[None] = self._loop.create_future()

    def _turn(self) -> None:
        now = self._loop.time()
        if now - self._last >= self._seconds and not self.stalled.done():
            self.stalled.set_result(None)
        self._last = now
        self._timer = self._loop.call_later(_TURN_SECONDS, self._turn)

    def __enter__(self) -> Self:
        self._last = self._loop.time()
        self._turn()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()
        self._turn()
        self._timer.cancel()
