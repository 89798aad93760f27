"""Tests of what a backend must not do while it sends: stop the loop, trust anybody, tell anybody."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from flexiapi.plugin import (
    DeliveryError,
    Receipt,
)
from flexiapi.testing.http1 import Gateway
from flexiapi.testing.loop_watch import WatchedSelector, reference_work
from flexiapi.testing.output import captured_output
from flexiapi.testing.replies import Reply
from flexiapi.testing.sending import SHORTEST_PRIVATE_TEXT, BackendSending
from flexiapi.testing.stream_server import StreamServer

# A backend that stands still does so each time; a busy machine lets at least one of many sends through.
_SENDS = 20
_MOST_WAIT_SECONDS = 0.025
# In units of the reference work: some 40 ms on an ordinary machine.
_MOST_WORK = 80


class BackendCare(BackendSending):
    """Tests that a backend inherits; `verifies_tls` is False if its settings turn verification off."""

    verifies_tls: ClassVar[bool] = True
    refused: ClassVar[Reply]

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
        return [secret for secret in found if len(secret) >= SHORTEST_PRIVATE_TEXT]
