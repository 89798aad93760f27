"""Readiness of a server process: the reasons why it is not ready, by subject."""

import asyncio
import math
import time
from collections.abc import Mapping


def now() -> float:
    """Return the seconds of a clock that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Readiness:
    """The subjects that a process still waits for. It is ready when there are none.

    A reason may also close the process: then it answers no request but health checks. So does a time without
    confirmation, if the process needs one.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._closing: set[str] = set()
        self._opened = asyncio.Event()
        self._opened.set()
        # Plain attributes, because every request reads them.
        self.is_closed = False
        self.confirmed_until = math.inf

    @property
    def reasons(self) -> Mapping[str, str]:
        """The reason by subject, each a sentence for the operator."""
        return dict(self._reasons)

    @property
    def is_ready(self) -> bool:
        """True if the process waits for nothing."""
        return not self._reasons

    def wait_for(self, subject: str, reason: str, *, closes: bool = False) -> bool:
        """Note what the process waits for. Return True if that is new or its reason is another.

        With `closes` the process answers no request until the subject is settled.
        """
        is_new = self._reasons.get(subject) != reason
        self._reasons[subject] = reason
        (self._closing.add if closes else self._closing.discard)(subject)
        self._update()
        return is_new

    def settle(self, subject: str) -> bool:
        """Note that the process waits for a subject no longer. Return True if it did."""
        self._closing.discard(subject)
        self._update()
        return self._reasons.pop(subject, None) is not None

    def may_work(self) -> bool:
        """Return whether the process may answer requests and write, also what it writes beside requests."""
        return not self.is_closed and now() <= self.confirmed_until

    def confirm_until(self, moment: float) -> None:
        """Let the process work until this moment of the clock of `now`, unless confirmed once more."""
        self.confirmed_until = moment

    async def opened(self) -> None:
        """Wait until no reason closes the process."""
        await self._opened.wait()

    def _update(self) -> None:
        self.is_closed = bool(self._closing)
        if self.is_closed:
            self._opened.clear()
        else:
            self._opened.set()
