"""The contract of a notification backend, as tests to inherit."""

import asyncio
from typing import Any, ClassVar

import pytest

from flexiapi.plugin import (
    Backend,
    DeliveryError,
    Permanent,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    Throttled,
    Unregistered,
)
from flexiapi.testing.backends import assert_discreet, failure_of
from flexiapi.testing.care import BackendCare
from flexiapi.testing.loop_watch import LoopWatch
from flexiapi.testing.replies import SILENCE, Reply

_UNDECLARED = Reply(status=0)
_AT_ONCE = 20
_MOST_OF_A_BURST = 50
# A busy machine may pause for as long as the first answer takes, but not also for as long as the second takes.
_ANSWER_SECONDS = (1.0, 3.0)
_MOST_OF_AN_ANSWER = 0.9


class BackendContract(BackendCare):
    """Tests that a backend inherits; all run against a real server on localhost.

    Set `group`, `name`, the provider's answers `busy` and `refused`, for push also `gone` (`None` if the provider has
    no such answer), and define `settings`. `accepted` is the gateway's default answer unless set. `verifies_tls` is
    False if the `settings` turn the verification of certificates off. Set also those of `throttled`, `deferred` and
    `unwanted` that the provider has: it takes no more for now; not this address for now; never this address.
    """

    busy: ClassVar[Reply]
    refused: ClassVar[Reply]
    gone: ClassVar[Reply | None] = _UNDECLARED
    throttled: ClassVar[Reply | None] = None
    deferred: ClassVar[Reply | None] = None
    unwanted: ClassVar[Reply | None] = None

    def _failure(self, gateway: Any, answer: Reply) -> DeliveryError:
        gateway.answer(answer)
        return failure_of(lambda: self.send(gateway), *self._private())

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

    def test_answers_about_the_address_are_told_from_those_about_the_provider(self) -> None:
        expected = ((self.throttled, Throttled), (self.deferred, RecipientDeferred), (self.unwanted, RecipientRefused))
        for answer, kind in expected:
            if answer is None:
                continue
            with self.gateway() as gateway:
                error = self._failure(gateway, answer)
            assert isinstance(error, kind), f"{answer.status} is {type(error).__name__}, not {kind.__name__}"

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
        assert not isinstance(error, RecipientDeferred), "an outage is the provider's, whatever the address"
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

    def test_has_as_many_connections_as_it_declares_at_most(self) -> None:
        async def bursts(gateway: Any) -> int | None:
            async with self.running(gateway) as backend:
                declared = backend.concurrency
                if declared is None:
                    return None
                for _ in range(2):
                    await asyncio.gather(
                        *(backend.send(self.message()) for _ in range(min(declared, _MOST_OF_A_BURST)))
                    )
                return declared

        with self.gateway() as gateway:
            self._accept(gateway)
            declared = self.run(bursts(gateway))
            assert declared is None or declared >= 1, "`concurrency` is a number of messages, or None"
            assert declared is None or gateway.connections <= declared, (
                "it opens more connections than the messages that it declares to have under way: keep them for others"
            )

    def test_says_which_lane_without_telling_for_whom(self) -> None:
        async def lane(gateway: Any) -> str:
            async with self.running(gateway) as backend:
                return backend.lane(self.message())

        with self.gateway() as gateway:
            name = self.run(lane(gateway))
        assert isinstance(name, str), "`lane` returns the name of a server or project, or an empty text"
        # It is shown to operators.
        assert [text for text in self._private() if text in name] == []

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
