"""Places for messages under way, whose number may change while others wait for one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable


class Places:
    """As many places as `count` says at that moment; messages that wait get them in order."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._too_few_at = float("-inf")

    def were_too_few_since(self, moment: float) -> bool:
        """Return whether more were taken than there were at any time since then, by the monotonic clock."""
        self._look()
        return self._too_few_at >= moment

    def _look(self) -> None:
        if self._taken > self._count():
            self._too_few_at = time.monotonic()

    async def acquire(self) -> None:
        """Take a place, when it is free and all who came before have theirs."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._call_up()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        self._look()
        self._taken -= 1
        self._call_up()

    def _call_up(self) -> None:
        while self._waiting and self._taken < self._count():
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
