"""Detection of a blocked event loop."""

import asyncio
import selectors
import time
from typing import Self

_TURN_SECONDS = 0.01
_REFERENCE_STEPS = 10_000


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


class WatchedSelector(selectors.DefaultSelector):
    """The selector of an event loop, which notes how long the loop is away from it in each turn.

    What a turn spends without the processor is told apart from its work: a slow machine makes work longer, but not
    waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest_wait = 0.0
        self.longest_work = 0.0
        self._left: tuple[float, float] | None = None
        self._is_stopped = False

    def forget(self) -> None:
        """Forget the turns so far; the present one counts from now on."""
        self.longest_wait = self.longest_work = 0.0
        self._left = (time.perf_counter(), time.thread_time())

    def stop(self) -> None:
        """Note nothing more."""
        self._left = None
        self._is_stopped = True

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, and note the turn that has ended."""
        if self._left is not None:
            worked = time.thread_time() - self._left[1]
            self.longest_work = max(self.longest_work, worked)
            self.longest_wait = max(self.longest_wait, time.perf_counter() - self._left[0] - worked)
        events = super().select(timeout)
        if not self._is_stopped:
            self._left = (time.perf_counter(), time.thread_time())
        return events


def wait_for_work(seconds: float) -> float:
    """Work for so long, and return the seconds without the processor: what a busy machine makes of such work."""
    started, before = time.perf_counter(), time.thread_time()
    while time.thread_time() - before < seconds:
        pass
    return time.perf_counter() - started - (time.thread_time() - before)


def reference_work() -> float:
    """Return the seconds that this machine needs for some fixed work, about half a millisecond on an ordinary one."""
    return min(_timed_work() for _ in range(3))


def _timed_work() -> float:
    before = time.thread_time()
    sum(number * number for number in range(_REFERENCE_STEPS))
    return time.thread_time() - before
