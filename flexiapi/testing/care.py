"""Tests of what a backend must not do while it sends: stop the loop, trust anybody, tell anybody."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from flexiapi.plugin import (
    DeliveryError,
    Receipt,
)
from flexiapi.testing.http1 import Gateway
from flexiapi.testing.loop_watch import WatchedSelector, reference_work, wait_for_work
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
        waits, works, queues = [], [], []
        with self.gateway() as gateway:
            self._accept(gateway)
            for _ in range(_SENDS):
                selector = WatchedSelector()
                with asyncio.Runner(loop_factory=partial(asyncio.SelectorEventLoop, selector)) as runner:
                    runner.run(self._watched(gateway, selector))
                waits.append(selector.longest_wait)
                works.append(selector.longest_work / reference_work())
                if waits[-1] < _MOST_WAIT_SECONDS and works[-1] < _MOST_WORK:
                    return
                queues.append(wait_for_work(selector.longest_work))
        told = "in every send the event loop stood still for some 50 ms: call what blocks by asyncio.to_thread"
        assert min(works) < _MOST_WORK, told
        # Work has to queue for the processor of a busy machine, twice as long for all that a watch sees of it.
        assert min(waits) < _MOST_WAIT_SECONDS + 2 * min(queues), told

    async def _watched(self, gateway: Any, selector: WatchedSelector) -> None:
        async with self.running(gateway) as backend:
            # The turn of `start` does not count: it may read files.
            await asyncio.sleep(0)
            selector.forget()
            assert isinstance(await backend.send(self.message()), Receipt)
            # The end of a turn is noted when the next one begins.
            await asyncio.sleep(0)
            selector.stop()

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
