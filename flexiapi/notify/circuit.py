"""A breaker: a provider that keeps failing is left alone for a while, and tried with one message first."""

import time
from collections.abc import Callable


class Circuit:
    """Opens after `failures` failures in a row; after `rest` seconds admits one probe, whose success closes it."""

    def __init__(self, failures: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._rests_until: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether messages flow freely."""
        return self._rests_until is None

    @property
    def resting(self) -> bool:
        """Whether a message that came now would be turned away."""
        return self._rests_until is not None and (self._probing or self._clock() < self._rests_until)

    def admit(self) -> bool:
        """Whether one message may be sent now; each admitted one ends in `succeeded`, `failed` or `abandoned`."""
        if self.resting:
            return False
        self._probing = not self.closed
        return True

    def succeeded(self) -> None:
        """The provider answered."""
        self._failures = 0
        self._rests_until = None
        self._probing = False

    def failed(self) -> None:
        """The provider did not answer, or is not able to serve."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._limit:
            self._rests_until = self._clock() + self._rest

    def abandoned(self) -> None:
        """The message was given up by its sender: this says nothing about the provider."""
        self._probing = False
