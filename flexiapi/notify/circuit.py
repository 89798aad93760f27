"""Circuit breaker: a provider that keeps failing is left alone for a while, then tried with a single message."""

import time
from collections.abc import Callable


class Circuit:
    """A circuit that opens after `failures` failures in a row and admits one probe after `rest` seconds.

    The success of the probe closes it.
    """

    def __init__(self, failures: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._rests_until: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """True while messages flow freely."""
        return self._rests_until is None

    @property
    def resting(self) -> bool:
        """True if a message would be turned away now."""
        return self._rests_until is not None and (self._probing or self._clock() < self._rests_until)

    def admit(self) -> bool:
        """Return True if one message may be sent now; an admitted one ends in `succeeded`, `failed` or `abandoned`."""
        if self.resting:
            return False
        self._probing = not self.closed
        return True

    def succeeded(self) -> None:
        """Note that the provider answered."""
        self._failures = 0
        self._rests_until = None
        self._probing = False

    def failed(self) -> None:
        """Note that the provider did not answer, or is not able to serve."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._limit:
            self._rests_until = self._clock() + self._rest

    def abandoned(self) -> None:
        """Note that the sender gave up the message, which says nothing about the provider."""
        self._probing = False
