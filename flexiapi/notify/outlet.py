"""A configured backend with queue, deadline, retries, circuit breaker and metrics around it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

import stamina

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import figures
from flexiapi.notify.discovery import Transport
from flexiapi.notify.figures import DeliveryRecord, FailedDelivery
from flexiapi.notify.instance import Instance
from flexiapi.notify.lane import Crowded, Faulty, Lane, Patience, TurnedAway, worth_retrying
from flexiapi.notify.origin import defined_at, raised_at
from flexiapi.observing import log
from flexiapi.plugin import (
    Backend,
    DeliveryError,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    Unregistered,
)
from flexiapi.settings import DeliverySettings

# The hook would log each retry without the name of the backend.
stamina.instrumentation.set_on_retry_hooks(())


M = TypeVar("M")

# The longest wait between two tries, as a fraction of the deadline.
_LONGEST_WAIT = 1 / 8

# Lanes are named by settings; a backend that names them by its messages must not fill the memory.
_MOST_LANES = 1000


_OUTCOMES: tuple[tuple[type, str], ...] = (
    (RecipientDeferred, "deferred"),
    (Permanent, "refused"),
    (TurnedAway, "turned_away"),
)


class Outlet(Generic[M]):
    """Sends through one backend, up to `tries` times within a deadline, at most so many messages at once in a lane."""

    def __init__(self, transport: Transport, label: str, backend: Backend[Any, M], delivery: DeliverySettings) -> None:
        self.transport = transport
        self.label = label
        self._instance = Instance(backend)
        self._has_lanes = type(backend).lane is not Backend.lane
        self._lanes: dict[str, Lane] = {}
        self._delivery = delivery
        self.record = DeliveryRecord()

    @property
    def load(self) -> tuple[int, int]:
        """The number of messages that wait for a place, and of those that it sends now."""
        return sum(lane.waiting for lane in self._lanes.values()), self._instance.under_way

    @property
    def backend(self) -> Backend[Any, M]:
        """The backend that sends now."""
        return self._instance.backend

    @property
    def table(self) -> str:
        """The settings table that configures it."""
        return f"{self.transport}.{self.label}"

    @property
    def resting(self) -> list[str]:
        """The names of the lanes that failed repeatedly, and have not succeeded since then."""
        return [name for name, lane in self._lanes.items() if not lane.circuit.closed]

    async def send(self, message: M, seconds: float | None = None) -> Receipt:
        """Send within `seconds`. Raises `Unregistered`, or `DeliveryFailed` whose cause is the `DeliveryError`."""
        seconds = self._delivery.deadline_seconds if seconds is None else seconds
        with self._counted():
            try:
                return await self._persistently(message, seconds)
            except Unregistered:
                raise
            except DeliveryError as error:
                # During an outage every caller is turned away, and callers choose the addresses: the outage itself is
                # logged once.
                is_usual = isinstance(error, TurnedAway | RecipientDeferred | RecipientRefused)
                tell = log.info if is_usual else log.warning
                tell("delivery failed", backend=self.table, kind=type(error).__name__, reason=error.reason)
                self.record.failure = FailedDelivery(datetime.now(UTC), type(error).__name__, error.reason)
                raise DeliveryFailed(backend=self.table, reason=error.reason) from error

    async def _persistently(self, message: M, seconds: float) -> Receipt:
        patience, tries = Patience(seconds), self._delivery.tries
        lane = self._lane(message)
        attempts = stamina.retry_context(
            on=worth_retrying(patience, seconds * _LONGEST_WAIT),
            attempts=tries,
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
                    return await lane.send(partial(self._once, message), patience, is_last=attempt.num >= tries)
                except (Retryable, Crowded) as error:
                    reason, patience.was_deferred = error.reason, isinstance(error, RecipientDeferred)
                    raise
        raise AssertionError("stamina always ends with a result or an exception")

    def _lane(self, message: M) -> Lane:
        """Return the lane of a message. Raises `Faulty`, or what the backend refuses the address with."""
        try:
            name = self.backend.lane(message) if self._has_lanes else ""
            lane = self._lanes.get(name)
            if lane is None and len(self._lanes) >= _MOST_LANES:
                lane = next(iter(self._lanes.values()))
            if lane is None:
                # A fault of the plugin is told here.
                _declared(self.backend, usual := self._delivery.concurrent)
                declares = type(self.backend).concurrency is not Backend.concurrency
                places = partial(_places, lambda: self.backend, usual) if declares else lambda: usual
                lane = self._lanes[name] = Lane(self.transport, self.label, places, self._delivery)
        except DeliveryError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way: its message is not sent
            raise Faulty(f"{type(error).__name__} at {raised_at(error, self.backend.lane)}") from None
        return lane

    async def _once(self, message: M) -> Receipt:
        figures.tries.labels(self.transport, self.label).inc()
        with self._under_way() as backend:
            try:
                receipt = await backend.send(message)
            except DeliveryError as error:
                _correct(error)
                raise
            except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way: its message is not sent
                # Only the place: the text of an unforeseen exception may contain the message.
                raise Faulty(f"{type(error).__name__} at {raised_at(error, backend.send)}") from None
        if not isinstance(receipt, Receipt):
            place = defined_at(backend.send)
            raise Faulty(f"returned {type(receipt).__name__} instead of a Receipt: `send` at {place}")
        if isinstance(receipt.cost, int | float) and receipt.cost > 0:
            figures.cost.labels(self.transport, self.label).inc(receipt.cost)
        return receipt

    @contextmanager
    def _under_way(self) -> Iterator[Backend[Any, M]]:
        instance = self._instance
        instance.under_way += 1
        instance.idle.clear()
        try:
            yield instance.backend
        finally:
            instance.under_way -= 1
            if not instance.under_way:
                instance.idle.set()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        started = time.monotonic()
        outcome = "cancelled"
        try:
            yield
            outcome, self.record.sent_at = "sent", datetime.now(UTC)
        except Unregistered:
            outcome = "unregistered"
            raise
        except DeliveryFailed as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error.__cause__, kind)), "failed")
            raise
        finally:
            figures.deliveries.labels(self.transport, self.label, outcome).inc()
            figures.seconds.labels(self.transport, self.label).observe(time.monotonic() - started)

    def identity(self, message: PushMessage) -> str:
        """Return the identity of a push device. Raises `DeliveryError` for an address that the backend refuses."""
        backend = self.backend
        assert isinstance(backend, PushBackend)
        return _identity(backend, message, self.table)

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

    async def start(self) -> None:
        """Start the backend on this event loop. Raises what it raises."""
        await self._instance.start()

    async def renew(self) -> None:
        """Start a new instance of the backend if files that it read have changed; the old one serves until then.

        Raises what the start raises; the old one goes on then.
        """
        old = self._instance
        if not await old.is_outdated():
            return
        fresh = old.successor()
        try:
            async with asyncio.timeout(self._delivery.deadline_seconds):
                await fresh.start()
        except BaseException:
            await fresh.close()
            raise
        self._instance = fresh
        log.info("backend has read its files again", backend=self.table)
        await old.retire(self._delivery.deadline_seconds)

    async def credit(self) -> float | None:
        """Return what is left at the provider, or `None` if that cannot be told."""
        try:
            async with asyncio.timeout(self._delivery.deadline_seconds):
                left = await self.backend.credit()
            return None if left is None else float(left)
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way, and the others are asked too
            reason = error.reason if isinstance(error, DeliveryError) else type(error).__name__
            log.info("credit is not known", backend=self.table, reason=reason)
            return None

    async def close(self) -> None:
        """Close the backend and ignore its errors."""
        await self._instance.close()


def _identity(backend: PushBackend[Any], message: PushMessage, table: str) -> str:
    try:
        identity = backend.device_identity(message)
    except DeliveryError as error:
        log.info("address refused", backend=table, reason=error.reason)
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way: without identity nothing is sent
        place = raised_at(error, backend.device_identity)
        log.warning("address has no identity", backend=table, kind=type(error).__name__, place=place)
        raise Faulty(f"{type(error).__name__} at {place}") from None
    if not isinstance(identity, str) or not identity:
        raise Faulty(f"no identity of a device: `device_identity` at {defined_at(backend.device_identity)}")
    return identity


def _correct(error: DeliveryError) -> None:
    """Make the reason a text and the wait a number, which a plugin may have given as something else."""
    error.reason = str(error.reason)
    if isinstance(error, Retryable) and not isinstance(error.retry_after, int | float | None):
        error.retry_after = None


def _declared(backend: Backend[Any, Any], usual: int) -> int:
    return usual if backend.concurrency is None else max(1, backend.concurrency)


def _places(backend: Callable[[], Backend[Any, Any]], usual: int) -> int:
    """Return how many messages can be under way now: a backend may learn that it can have fewer."""
    try:
        return _declared(backend(), usual)
    except Exception:  # noqa: BLE001 - a plugin may be wrong in any way, and messages wait for this
        return usual
