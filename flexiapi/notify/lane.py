"""Lanes: the messages of a backend to one of the servers that it talks to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from flexiapi.notify import figures
from flexiapi.notify.circuit import Circuit
from flexiapi.notify.patience import Patience
from flexiapi.observing import log
from flexiapi.plugin import DeliveryError, Permanent, RecipientDeferred, Retryable
from flexiapi.settings import DeliverySettings

T = TypeVar("T")


class TurnedAway(DeliveryError):
    """The message was not tried, because the backend rests after failures or is at its limit."""


class Faulty(DeliveryError):
    """The backend raised or returned something that the contract does not allow; a retry would do the same."""


class Lane:
    """At most `concurrency` messages under way at once, a queue for others, in order, and a circuit."""

    def __init__(self, transport: str, label: str, concurrency: int, delivery: DeliverySettings) -> None:
        self._table = f"{transport}.{label}"
        self._waiting = figures.waiting.labels(transport, label)
        self._openings = figures.circuit_openings.labels(transport, label)
        self._places = asyncio.Semaphore(concurrency)
        self._rest = delivery.circuit_seconds
        self.circuit = Circuit(delivery.circuit_failures, self._rest)

    async def send(self, send: Callable[[], Awaitable[T]], patience: Patience, *, is_last: bool) -> T:
        """Call `send`, which raises `DeliveryError` only, when its turn comes. Raises that, or `TurnedAway`."""
        if self.circuit.resting:
            raise TurnedAway("resting after repeated failures")
        async with self._place(patience):
            with self._judged():
                is_fair = patience.gives_fair_time
                try:
                    async with asyncio.timeout(patience.try_seconds(is_last=is_last)):
                        return await send()
                except TimeoutError:
                    if not is_fair:
                        raise TurnedAway("too many messages under way: too little time was left") from None
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
            log.warning("backend rests", backend=self._table, seconds=self._rest)
