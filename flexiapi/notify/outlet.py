"""A configured backend with limit, deadline, retries, circuit breaker and metrics around it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

import stamina

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import figures
from flexiapi.notify.circuit import Circuit
from flexiapi.notify.discovery import Transport
from flexiapi.notify.origin import defined_at, raised_at
from flexiapi.observing import log
from flexiapi.plugin import (
    Backend,
    DeliveryError,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    Retryable,
    Unregistered,
)
from flexiapi.settings import DeliverySettings

# The hook would log each retry without the name of the backend.
stamina.instrumentation.set_on_retry_hooks(())


M = TypeVar("M")

# The longest wait between two tries, as a fraction of the deadline.
_LONGEST_WAIT = 1 / 8


class Faulty(DeliveryError):
    """The backend raised or returned something that the contract does not allow; a retry would do the same."""


class TurnedAway(DeliveryError):
    """The message was not tried, because the backend rests after failures or is at its limit."""


_OUTCOMES: dict[type | None, str] = {Permanent: "refused", TurnedAway: "turned_away"}


class Outlet(Generic[M]):
    """Sends through one backend, up to `tries` times within a deadline, at most `concurrent` messages at once."""

    def __init__(self, transport: Transport, label: str, backend: Backend[Any, M], delivery: DeliverySettings) -> None:
        self.transport = transport
        self.label = label
        self.backend = backend
        self.circuit = Circuit(delivery.circuit_failures, delivery.circuit_seconds)
        self._delivery = delivery
        self._places = asyncio.Semaphore(delivery.concurrent)

    @property
    def table(self) -> str:
        """The settings table that configures it."""
        return f"{self.transport}.{self.label}"

    async def send(self, message: M, seconds: float | None = None) -> Receipt:
        """Send within `seconds`. Raises `Unregistered`, or `DeliveryFailed` whose cause is the `DeliveryError`."""
        seconds = self._delivery.deadline_seconds if seconds is None else seconds
        with self._counted():
            try:
                return await self._persistently(message, seconds)
            except Unregistered:
                raise
            except DeliveryError as error:
                # During an outage every caller is turned away; the outage itself is logged once.
                tell = log.info if isinstance(error, TurnedAway) else log.warning
                tell("delivery failed", backend=self.table, kind=type(error).__name__, reason=error.reason)
                raise DeliveryFailed(backend=self.table, reason=error.reason) from error

    async def _persistently(self, message: M, seconds: float) -> Receipt:
        deadline = time.monotonic() + seconds
        attempts = stamina.retry_context(
            on=_worth_retrying(deadline, seconds * _LONGEST_WAIT),
            attempts=self._delivery.tries,
            timeout=seconds,
            wait_initial=seconds / 80,
            wait_max=seconds * _LONGEST_WAIT,
            wait_jitter=seconds / 20,
        )
        reason = ""
        async for attempt in attempts:
            if attempt.num > 1:
                log.info("trying again", backend=self.table, attempt=attempt.num, reason=reason)
            with attempt:
                try:
                    return await self._once(message, deadline)
                except Retryable as error:
                    reason = error.reason
                    raise
        raise AssertionError("stamina always ends with a result or an exception")

    async def _once(self, message: M, deadline: float) -> Receipt:
        if self.circuit.resting:
            raise TurnedAway("resting after repeated failures")
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._places.acquire()
        except TimeoutError:
            raise TurnedAway("too many messages under way") from None
        try:
            if not self.circuit.admit():
                raise TurnedAway("resting after repeated failures")
            with self._judged():
                return await self._within(message, deadline)
        finally:
            self._places.release()

    async def _within(self, message: M, deadline: float) -> Receipt:
        figures.tries.labels(self.transport, self.label).inc()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                receipt = await self.backend.send(message)
        except TimeoutError:
            raise Retryable("no answer in time") from None
        if not isinstance(receipt, Receipt):
            place = defined_at(self.backend.send)
            raise Faulty(f"returned {type(receipt).__name__} instead of a Receipt: `send` at {place}")
        return receipt

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Report the outcome of a try to the circuit, and turn exceptions that are not allowed into `Faulty`."""
        try:
            yield
        except Permanent:
            self._answered()
            raise
        except DeliveryError:
            self._failed()
            raise
        except asyncio.CancelledError:
            self.circuit.abandoned()
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way: its message is not sent
            self._failed()
            # Only the place: the text of an unforeseen exception may contain the message.
            raise Faulty(f"{type(error).__name__} at {raised_at(error, self.backend.send)}") from None
        else:
            self._answered()

    def _answered(self) -> None:
        if not self.circuit.closed:
            log.info("backend is back", backend=self.table)
        self.circuit.succeeded()

    def _failed(self) -> None:
        was_closed = self.circuit.closed
        self.circuit.failed()
        if was_closed and not self.circuit.closed:
            figures.circuit_openings.labels(self.transport, self.label).inc()
            log.warning("backend rests", backend=self.table, seconds=self._delivery.circuit_seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        started = time.monotonic()
        outcome = "cancelled"
        try:
            yield
            outcome = "sent"
        except Unregistered:
            outcome = "unregistered"
            raise
        except DeliveryFailed as error:
            outcome = _OUTCOMES.get(type(error.__cause__), "failed")
            raise
        finally:
            figures.deliveries.labels(self.transport, self.label, outcome).inc()
            figures.seconds.labels(self.transport, self.label).observe(time.monotonic() - started)

    def identity(self, message: PushMessage) -> str:
        """Return the identity of a push device. Raises `DeliveryError` for an address that the backend refuses."""
        backend = self.backend
        assert isinstance(backend, PushBackend)
        try:
            identity = backend.device_identity(message)
        except DeliveryError as error:
            log.info("address refused", backend=self.table, reason=error.reason)
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way: without identity nothing is sent
            place = raised_at(error, backend.device_identity)
            log.warning("address has no identity", backend=self.table, kind=type(error).__name__, place=place)
            raise Faulty(f"{type(error).__name__} at {place}") from None
        if not isinstance(identity, str) or not identity:
            raise Faulty(f"no identity of a device: `device_identity` at {defined_at(backend.device_identity)}")
        return identity

    async def check(self) -> str | None:
        """Return the reason why the backend cannot send now, or `None`."""
        try:
            async with asyncio.timeout(self._delivery.deadline_seconds):
                await self.backend.check()
        except DeliveryError as error:
            return error.reason
        except TimeoutError:
            return f"no answer within {self._delivery.deadline_seconds:g} s"
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way, and the other checks go on
            place = raised_at(error, self.backend.check)
            return f"the backend itself failed: {type(error).__name__} at {place}"
        return None

    async def close(self) -> None:
        """Close the backend and ignore its errors."""
        with suppress(Exception):
            await self.backend.close()


def _worth_retrying(deadline: float, longest_wait: float) -> Callable[[Exception], bool | float]:
    """Retry a `Retryable` error while time is left, after the wait that the provider asks for, if any."""

    def decide(error: Exception) -> bool | float:
        if not isinstance(error, Retryable):
            return False
        left = deadline - time.monotonic()
        if error.retry_after is None:
            return left > longest_wait
        return error.retry_after if error.retry_after < left else False

    return decide
