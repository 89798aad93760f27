"""The contract of a notification backend, as tests to inherit."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, TypeVar

import pytest
from pydantic import SecretStr

from flexiapi.plugin import (
    ANY_PROVIDER,
    Backend,
    DeliveryError,
    MailMessage,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    Retryable,
    SmsMessage,
    Unregistered,
)
from flexiapi.testing.backends import assert_discreet, failure_of, running_backend
from flexiapi.testing.declaration import BackendDeclaration
from flexiapi.testing.http1 import Gateway
from flexiapi.testing.loop_watch import LoopWatch, WatchedSelector, reference_work
from flexiapi.testing.output import captured_output
from flexiapi.testing.replies import SILENCE, Reply
from flexiapi.testing.stream_server import StreamServer

T = TypeVar("T")

_UNDECLARED = Reply(status=0)
_AT_ONCE = 20
# A busy machine may pause for as long as the first answer takes, but not also for as long as the second takes.
_ANSWER_SECONDS = (1.0, 3.0)
_MOST_OF_AN_ANSWER = 0.9
# A backend that stands still does so each time; a busy machine lets at least one of many sends through.
_SENDS = 20
_MOST_WAIT_SECONDS = 0.025
# In units of the reference work: some 40 ms on an ordinary machine.
_MOST_WORK = 80
_SHORTEST_PRIVATE_TEXT = 6


class BackendContract(BackendDeclaration):
    """Tests that a backend inherits; all run against a real server on localhost.

    Set `group`, `name`, the provider's answers `busy` and `refused`, for push also `gone` (`None` if the provider has
    no such answer), and define `settings`. `accepted` is the gateway's default answer unless set. `verifies_tls` is
    False if the `settings` turn the verification of certificates off.
    """

    accepted: ClassVar[Reply | None] = None
    verifies_tls: ClassVar[bool] = True
    busy: ClassVar[Reply]
    refused: ClassVar[Reply]
    gone: ClassVar[Reply | None] = _UNDECLARED

    def message(self) -> Any:
        """Return the message to send; override it when the backend needs another."""
        if self.group == "flexiapi.sms":
            return SmsMessage("+33612345678", "Votre code reçu : 471100")
        if self.group == "flexiapi.mail":
            return MailMessage("alice@example.org", "Bienvenue à tous", "Votre code : 471100", "<p>471100</p>")
        backend = self.backend_class()
        assert issubclass(backend, PushBackend)
        provider = min(backend.providers - {ANY_PROVIDER}, default="example")
        return PushMessage(provider, "929724111839", "dA1b:APA91b", {"token": "8tuVPT471100"})

    @asynccontextmanager
    async def running(self, gateway: Any) -> AsyncIterator[Backend[Any, Any]]:
        """The backend, started and in the end closed."""
        async with running_backend(self.backend_class()(self.config(gateway))) as backend:
            yield backend

    def run(self, use: Coroutine[Any, Any, T]) -> T:
        """Run on an event loop of its own."""
        return asyncio.run(use)

    def send(self, gateway: Any) -> Receipt:
        """Start the backend, send one message, close it."""

        async def whole() -> Receipt:
            async with self.running(gateway) as backend:
                return await backend.send(self.message())

        return self.run(whole())

    def _failure(self, gateway: Any, answer: Reply) -> DeliveryError:
        gateway.answer(answer)
        return failure_of(lambda: self.send(gateway), *self._private())

    def _private(self) -> list[str]:
        message = dataclasses.asdict(self.message())
        told = [value for name in ("phone", "text", "prid", "to") if (value := message.get(name))]
        more = [message.get("html"), message.get("code"), *message.get("data", {}).values()]
        return told + [text for text in more if text and len(text) >= _SHORTEST_PRIVATE_TEXT]

    def config(self, gateway: Any, **more: object) -> Any:
        """Return the validated settings. The gateway gives `accepted` wherever a test says nothing else."""
        if self.accepted is not None:
            gateway.default = self.accepted
        return super().config(gateway, **more)

    def _accept(self, gateway: Any, delay: float = 0.0) -> None:
        gateway.answer(dataclasses.replace(self.accepted or gateway.default, delay=delay))

    def test_sends_and_returns_a_receipt(self) -> None:
        with self.gateway() as gateway:
            self._accept(gateway)
            assert isinstance(self.send(gateway), Receipt)
            assert len(gateway.sends) == 1

    def test_can_be_checked_without_sending(self) -> None:
        async def checked(gateway: Any) -> None:
            async with self.running(gateway) as backend:
                await backend.check()

        with self.gateway() as gateway:
            self._accept(gateway)
            self.run(checked(gateway))

    def test_busy_is_retryable_and_asked_once(self) -> None:
        with self.gateway() as gateway:
            assert isinstance(self._failure(gateway, self.busy), Retryable)
            assert len(gateway.sends) == 1, "a backend sends once: the server tries again"

    def test_refused_is_permanent(self) -> None:
        with self.gateway() as gateway:
            error = self._failure(gateway, self.refused)
        assert isinstance(error, Permanent)
        assert not isinstance(error, Unregistered)

    def test_gone_is_unregistered(self) -> None:
        if self.group != "flexiapi.push" or self.gone is None:
            return
        assert self.gone is not _UNDECLARED, (
            "set `gone`, the provider's answer for a dead address, or None if it has none"
        )
        with self.gateway() as gateway:
            assert isinstance(self._failure(gateway, self.gone), Unregistered)

    def test_outage_is_retryable_and_heals(self) -> None:
        async def outage(gateway: Any) -> DeliveryError:
            async with self.running(gateway) as backend:
                gateway.stop()
                with pytest.raises(DeliveryError) as caught:
                    await backend.send(self.message())
                gateway.start()
                self._accept(gateway)
                assert isinstance(await backend.send(self.message()), Receipt)
                return caught.value

        with self.gateway() as gateway:
            error = self.run(outage(gateway))
        assert isinstance(error, Retryable)
        assert_discreet(error, *self._private())

    def test_survives_cancellation(self) -> None:
        async def cancelled(gateway: Any) -> None:
            async with self.running(gateway) as backend:
                gateway.answer(SILENCE)
                sending = asyncio.create_task(backend.send(self.message()))
                await asyncio.wait([sending, asyncio.create_task(gateway.received())], return_when="FIRST_COMPLETED")
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
                self._accept(gateway)
                assert isinstance(await backend.send(self.message()), Receipt)

        with self.gateway() as gateway:
            self.run(cancelled(gateway))

    def test_never_blocks_the_loop(self) -> None:
        with self.gateway() as gateway:
            stalls = all(self.run(self._stalls(gateway, seconds)) for seconds in _ANSWER_SECONDS)
        assert not stalls, "the event loop stood still while messages were sent"

    async def _stalls(self, gateway: Any, answer_seconds: float) -> bool:
        self._accept(gateway, delay=answer_seconds)
        async with self.running(gateway) as backend:
            sending = asyncio.create_task(self._send_many(backend))
            with LoopWatch(answer_seconds * _MOST_OF_AN_ANSWER) as watch:
                await asyncio.wait([sending, watch.stalled], return_when="FIRST_COMPLETED")
            if watch.stalled.done():
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                return True
            await sending
            return False

    def test_does_not_stop_the_loop_for_a_moment(self) -> None:
        with self.gateway() as gateway:
            self._accept(gateway)
            assert any(self._sends_smoothly(gateway) for _ in range(_SENDS)), (
                "in every send the event loop stood still for some 50 ms: call what blocks by asyncio.to_thread"
            )

    def _sends_smoothly(self, gateway: Any) -> bool:
        selector = WatchedSelector()

        async def watched() -> None:
            async with self.running(gateway) as backend:
                # The turn of `start` does not count: it may read files.
                await asyncio.sleep(0)
                selector.forget()
                assert isinstance(await backend.send(self.message()), Receipt)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                waits.append(selector.longest_wait)
                work.append(selector.longest_work)

        waits: list[float] = []
        work: list[float] = []
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            runner.run(watched())
        return waits[0] < _MOST_WAIT_SECONDS and work[0] < _MOST_WORK * reference_work()

    @pytest.mark.parametrize("is_trusted", [False, True], ids=["unknown-authority", "other-host"])
    def test_tls_certificates_are_verified(self, is_trusted: bool) -> None:
        gateway = self.gateway()
        pose = getattr(gateway, "pose_as_impostor", None)
        if not self.verifies_tls or pose is None or not pose(is_trusted=is_trusted):
            return
        with gateway:
            self._accept(gateway)
            with suppress(DeliveryError):
                self.send(gateway)
            assert gateway.requests == [], (
                "it talks to a server without a certificate to trust: verify it, or set verifies_tls = False "
                "if `settings` turns that off"
            )

    @pytest.mark.parametrize("status", [302, 307])
    def test_redirects_are_not_followed(self, status: int) -> None:
        with self.gateway() as gateway, Gateway() as elsewhere:
            if not isinstance(gateway, StreamServer):
                return
            gateway.answer(Reply(status, headers={"location": f"{elsewhere.url}/elsewhere"}))
            # The outcome is the backend's: only what it tells to a stranger matters here.
            with suppress(Exception):
                self.send(gateway)
        assert elsewhere.requests == [], "it follows a redirect to another server, which may be anybody's"

    def test_prints_nothing_of_the_message(self) -> None:
        outputs = []
        for answer in (None, self.refused):
            with self.gateway() as gateway:
                if answer is not None:
                    gateway.answer(answer)
                with captured_output() as output, suppress(DeliveryError):
                    self.send(gateway)
            outputs.append(output.text)
            hidden = [*self._private(), *self._secrets()]
        assert [text for text in hidden if any(text in output for output in outputs)] == [], (
            "what is printed or logged must not tell for whom the message is, what it holds, or a secret"
        )

    def _secrets(self) -> list[str]:
        with self.gateway() as gateway:
            config = self.config(gateway)
        values = [getattr(config, name) for name in type(config).model_fields]
        found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        return [secret for secret in found if len(secret) >= _SHORTEST_PRIVATE_TEXT]

    async def _send_many(self, backend: Backend[Any, Any]) -> None:
        sends: list[asyncio.Task[Receipt]] = []
        try:
            for _ in range(_AT_ONCE):
                sends.append(asyncio.create_task(backend.send(self.message())))
                # One by one, so that the first that blocks is noticed before all have begun.
                await asyncio.sleep(0)
            assert all(isinstance(receipt, Receipt) for receipt in await asyncio.gather(*sends))
        finally:
            for send in sends:
                send.cancel()
            await asyncio.gather(*sends, return_exceptions=True)
