"""Lanes: the messages of a backend to one of the servers that it talks to, with their queue, time and circuit."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from flexiapi.notify import figures
from flexiapi.observing import log
from flexiapi.plugin import DeliveryError, Permanent, RecipientDeferred, Retryable, Throttled
from flexiapi.settings import DeliverySettings

T = TypeVar("T")

_TRIES_IN_WHAT_IS_LEFT = 3
_FIRST_REST = 1 / 8


class Admission:
    """The leave to send one message, which is given back with its end."""


class Circuit:
    """A circuit that opens after `failures` failures in a row, rests, and then admits one probe.

    It rests for an eighth of `rest` seconds at first, and for twice as long after each probe that fails, up to `rest`:
    a provider that was away for a moment is not left alone for long. The success of the probe closes it, and so does
    that of a message admitted earlier.
    """

    def __init__(self, failures: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._longest_rest = rest
        self._clock = clock
        self._failures = 0
        self._rests_until: float | None = None
        self._probe: Admission | None = None
        self.rest = rest * _FIRST_REST
        """Seconds of the rest that began last, or begins next."""

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
        self.rest = self._longest_rest * _FIRST_REST
        self.abandoned(admission)

    def failed(self, admission: Admission) -> None:
        """Note that the provider did not answer, or is not able to serve."""
        self._failures += 1
        if self._probe is admission:
            self.rest = min(2 * self.rest, self._longest_rest)
            self._rests_until = self._clock() + self.rest
        elif self.closed and self._failures >= self._limit:
            self._rests_until = self._clock() + self.rest
        self.abandoned(admission)

    def abandoned(self, admission: Admission) -> None:
        """Note an end that says nothing about the provider. Only that of the probe leaves its place to another."""
        if self._probe is admission:
            self._probe = None


class Places:
    """As many places as `count` says at that moment; messages that wait get them in order."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._too_few_at = float("-inf")

    @property
    def waiting(self) -> int:
        """The messages that wait for a place."""
        return sum(not turn.done() for turn in self._waiting)

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


class Patience:
    """A deadline, `seconds` from now, within which each try has a limit of its own.

    Waiting for a free place is the caller's time, never held against the provider. Nor is silence for an address that
    `was_deferred` before: it may be the address that makes the provider wait.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._queued = 0.0
        self.was_deferred = False

    @property
    def left(self) -> float:
        """The seconds until the deadline."""
        return self._deadline - time.monotonic()

    async def wait_for(self, places: Places) -> None:
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
        return not self.was_deferred and self.left >= self._share

    @property
    def _share(self) -> float:
        return (self.left + self._queued) / _TRIES_IN_WHAT_IS_LEFT


class TurnedAway(DeliveryError):
    """The message was not tried, because the backend rests after failures or is at its limit."""


class Crowded(TurnedAway):
    """The message waited within the backend, which can have fewer under way than it declared before."""


class Faulty(DeliveryError):
    """The backend raised or returned something that the contract does not allow; a retry would do the same."""


class Lane:
    """At most `concurrency()` messages under way at once, a queue for others, in order, and a circuit."""

    def __init__(self, transport: str, label: str, concurrency: Callable[[], int], delivery: DeliverySettings) -> None:
        self._table = f"{transport}.{label}"
        self._waiting = figures.waiting.labels(transport, label)
        self._openings = figures.circuit_openings.labels(transport, label)
        self._places = Places(concurrency)
        self.circuit = Circuit(delivery.circuit_failures, delivery.circuit_seconds)

    @property
    def waiting(self) -> int:
        """The messages that wait for a place."""
        return self._places.waiting

    async def send(self, send: Callable[[], Awaitable[T]], patience: Patience, *, is_last: bool) -> T:
        """Call `send`, which raises `DeliveryError` only, when its turn comes. Raises that, or `TurnedAway`."""
        if self.circuit.resting:
            raise TurnedAway("resting after repeated failures")
        async with self._place(patience):
            with self._judged():
                is_fair, began = patience.gives_fair_time, time.monotonic()
                try:
                    async with asyncio.timeout(patience.try_seconds(is_last=is_last)):
                        return await send()
                except TimeoutError:
                    if self._places.were_too_few_since(began):
                        raise Crowded("too many messages under way") from None
                    if not is_fair:
                        raise TurnedAway("no answer in the time that was left by other messages or tries") from None
                    raise Retryable("no answer in time") from None

    @asynccontextmanager
    async def _place(self, patience: Patience) -> AsyncIterator[None]:
        self._waiting.inc()
        try:
            await patience.wait_for(self._places)
        except TimeoutError:
            raise TurnedAway("too many messages under way") from None
        finally:
            self._waiting.dec()
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Report the end of a try to the circuit.

        Only a provider that is down counts: what the address of a message can cause must not switch the backend off.
        """
        admission = self.circuit.admit()
        if admission is None:
            raise TurnedAway("resting after repeated failures")
        end = self.circuit.abandoned
        try:
            yield
            end = self.circuit.succeeded
        except (Permanent, RecipientDeferred):
            end = self.circuit.succeeded
            raise
        except (Faulty, TurnedAway):
            raise
        except DeliveryError:
            end = self.circuit.failed
            raise
        finally:
            was_closed = self.circuit.closed
            end(admission)
            self._tell(was_closed=was_closed)

    def _tell(self, *, was_closed: bool) -> None:
        if self.circuit.closed and not was_closed:
            log.info("backend is back", backend=self._table)
        if was_closed and not self.circuit.closed:
            self._openings.inc()
            log.warning("backend rests", backend=self._table, seconds=self.circuit.rest)


def worth_retrying(patience: Patience, longest_wait: float) -> Callable[[Exception], bool | float]:
    """Retry a `Retryable` error while time is left, after the wait that the provider asks for, if any.

    What is asked too often is not asked again unless it says when.
    """

    def decide(error: Exception) -> bool | float:
        if isinstance(error, Crowded):
            return patience.left > 0
        if not isinstance(error, Retryable):
            return False
        if error.retry_after is not None:
            return error.retry_after if error.retry_after < patience.left else False
        return not isinstance(error, Throttled | RecipientDeferred) and patience.left > longest_wait

    return decide
