"""The time that a caller gives to a delivery."""

import asyncio
import time

_TRIES_IN_WHAT_IS_LEFT = 3


class Patience:
    """A deadline, `seconds` from now, within which each try has a limit of its own.

    Waiting for a free place is the caller's time, never held against the provider.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._queued = 0.0

    @property
    def left(self) -> float:
        """The seconds until the deadline."""
        return self._deadline - time.monotonic()

    async def wait_for(self, places: asyncio.Semaphore) -> None:
        """Take a place. Raises `TimeoutError` at the deadline."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.left):
                await places.acquire()
        finally:
            self._queued += time.monotonic() - began

    def try_seconds(self, *, is_last: bool) -> float:
        """Return the limit of a try: a third of what is left, so that others can follow, or all for the last one."""
        return self.left if is_last else min(self.left, self._share)

    @property
    def gives_fair_time(self) -> bool:
        """True if a provider that does not answer within a try that begins now has had the time of one."""
        return self.left >= self._share

    @property
    def _share(self) -> float:
        return (self.left + self._queued) / _TRIES_IN_WHAT_IS_LEFT
