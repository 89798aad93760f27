"""Seeing that an event loop runs."""

import asyncio
import threading
from typing import Self

_TURN_SECONDS = 0.01


class LoopWatch:
    """Counts, from another thread, how long the event loop stands still; load on the machine slows both alike."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.longest_stall = 0.0
        self._loop = loop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.is_set():
            answered = threading.Event()
            self._loop.call_soon_threadsafe(answered.set)
            turns = 0
            while not answered.wait(_TURN_SECONDS) and not self._over.is_set():
                turns += 1
            self.longest_stall = max(self.longest_stall, turns * _TURN_SECONDS)
            self._over.wait(_TURN_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
