"""The contract passes a right backend, and fails wrong ones where it should."""

import asyncio
import time
from typing import ClassVar

import httpx
import pytest
from pydantic import Field, HttpUrl, SecretStr

from flexiapi.plugin import (
    BackendConfig,
    Permanent,
    PushBackend,
    Receipt,
    Retryable,
    SmsBackend,
    Unregistered,
)
from flexiapi.testing import BackendContract, Http2Gateway, reply


class Config(BackendConfig):
    url: HttpUrl = Field(description="where messages are posted")
    token: SecretStr = Field(description="bearer token")


class Right(SmsBackend[Config]):
    Config = Config

    async def start(self):
        self.http = httpx.AsyncClient(timeout=10, verify=False)

    async def post(self):
        try:
            return await self.http.post(str(self.config.url), json={})
        except httpx.TransportError as error:
            raise Retryable("unreachable") from error

    async def send(self, message):
        answer = await self.post()
        if answer.status_code == 410:
            raise Unregistered("gone")
        if answer.status_code in (429, 503):
            raise Retryable(f"answered {answer.status_code}")
        if answer.is_error:
            raise Permanent(f"answered {answer.status_code}")
        return Receipt()

    async def close(self):
        await self.http.aclose()


class RightPush(Right, PushBackend[Config]):
    providers = frozenset({"fcm"})


class Contract(BackendContract):
    group, name = "flexiapi.sms", "right"
    busy, refused = reply(503), reply(400)
    backend = Right

    def settings(self, gateway):
        return {"url": gateway.url, "token": "s3cret"}

    def backend_class(self):
        return self.backend


class TestRight(Contract):
    pass


class TestRightPush(Contract):
    group, backend, gone = "flexiapi.push", RightPush, reply(410)


class TestRightOverHttp2(Contract):
    class backend(Right):  # noqa: N801 - in the place of an attribute
        async def start(self):
            self.http = httpx.AsyncClient(timeout=10, verify=False, http2=True)

    def gateway(self):
        return Http2Gateway()


def failing(test, tmp_path, **attributes):
    """The text that the contract fails with."""
    contract = type("Wrong", (Contract,), attributes)()
    contract.data_path = tmp_path
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        getattr(contract, test)()
    return str(caught.value)


def test_blocking_send(tmp_path):
    class Blocking(Right):
        blocked = False

        async def post(self):
            if self.blocked:
                return await super().post()
            self.blocked = True
            return httpx.post(str(self.config.url), json={})  # noqa: ASYNC210 - this is what is wrong with it

    assert "the event loop stood still" in failing("test_never_blocks_the_loop", tmp_path, backend=Blocking)


def test_retrying_by_itself(tmp_path):
    class Retrying(Right):
        async def post(self):
            await super().post()
            return await super().post()

    assert "a backend sends once" in failing("test_busy_is_retryable_and_asked_once", tmp_path, backend=Retrying)


def test_refusal_taken_for_busy(tmp_path):
    assert "Permanent" in failing("test_refused_is_permanent", tmp_path, refused=reply(429))


def test_swallowed_cancellation(tmp_path):
    class Stubborn(Right):
        async def send(self, message):
            try:
                return await super().send(message)
            except asyncio.CancelledError:
                return Receipt()

    assert "DID NOT RAISE" in failing("test_survives_cancellation", tmp_path, backend=Stubborn)


def test_failure_that_tells_the_number(tmp_path):
    class Talkative(Right):
        async def send(self, message):
            raise Permanent(f"{message.phone} is wrong")

    assert "the reason of a failure is logged" in failing("test_refused_is_permanent", tmp_path, backend=Talkative)


def test_open_secret_and_missing_description(tmp_path):
    class Careless(Right):
        class Config(BackendConfig):
            url: HttpUrl
            token: str = Field(description="bearer token")

    assert "make these settings SecretStr" in failing("test_secrets_are_hidden", tmp_path, backend=Careless)
    assert "url" in failing("test_every_setting_is_described", tmp_path, backend=Careless)


def test_push_without_a_word_on_dead_addresses(tmp_path):
    attributes = {"group": "flexiapi.push", "backend": RightPush}
    assert "set `gone`" in failing("test_gone_is_unregistered", tmp_path, **attributes)


def test_waiting_loop_is_no_standing_loop(tmp_path):
    class Slow(Right):
        async def post(self):
            await asyncio.to_thread(time.sleep, 0.4)
            return await super().post()

    contract = type("Right", (Contract,), {"backend": Slow})()
    contract.data_path = tmp_path
    contract.test_never_blocks_the_loop()


def test_machine_that_stands_still_once_is_no_standing_loop(tmp_path):
    class Unlucky(Right):
        stalls: ClassVar = [1.5]

        async def post(self):
            time.sleep(self.stalls.pop() if self.stalls else 0)  # noqa: ASYNC251 - in the machine's place
            return await super().post()

    contract = type("Right", (Contract,), {"backend": Unlucky})()
    contract.data_path = tmp_path
    contract.test_never_blocks_the_loop()
    assert not Unlucky.stalls


def test_backend_that_is_not_installed(tmp_path):
    class NotInstalled(BackendContract):
        group, name = "flexiapi.sms", "no-such-backend"

    with pytest.raises(AssertionError, match="install the distribution: 0 entry points"):
        NotInstalled().test_installed_under_its_name()
