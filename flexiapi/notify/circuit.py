"""Circuit breaker: a provider that keeps failing is left alone for a while, then tried with a single message."""

import time
from collections.abc import Callable


class Admission:
    """The leave to send one message, which is given back with its end."""


class Circuit:
    """A circuit that opens after `failures` failures in a row and admits one probe after `rest` seconds.

    The success of the probe closes it, and so does that of a message admitted earlier.
    """

    def __init__(self, failures: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._rests_until: float | None = None
        self._probe: Admission | None = None

    @property
    def closed(self) -> bool:
        """True while messages flow freely."""
        return self._rests_until is None

    @property
    def resting(self) -> bool:
        """True if a message would be turned away now."""
        return self._rests_until is not None and (self._probe is not None or self._clock() < self._rests_until)

    def admit(self) -> Admission | None:
        """Return the leave to send one message now, or `None`; it ends in `succeeded`, `failed` or `abandoned`."""
        if self.resting:
            return None
        admission = Admission()
        if not self.closed:
            self._probe = admission
        return admission

    def succeeded(self, admission: Admission) -> None:
        """Note that the provider answered."""
        self._failures = 0
        self._rests_until = None
        self.abandoned(admission)

    def failed(self, admission: Admission) -> None:
        """Note that the provider did not answer, or is not able to serve."""
        self._failures += 1
        if self._failures >= self._limit:
            self._rests_until = self._clock() + self._rest
        self.abandoned(admission)

    def abandoned(self, admission: Admission) -> None:
        """Note an end that says nothing about the provider. Only that of the probe leaves its place to another."""
        if self._probe is admission:
            self._probe = None
