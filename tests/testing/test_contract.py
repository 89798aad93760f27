"""The contract passes a right backend, and fails wrong ones where it should."""

import asyncio
import logging
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from pydantic import Field, HttpUrl, SecretStr

from flexiapi.plugin import (
    BackendConfig,
    Permanent,
    PushBackend,
    Receipt,
    RecipientDeferred,
    Retryable,
    SmsBackend,
    Unregistered,
    tls_context,
)
from flexiapi.testing import BackendContract, Http2Gateway, reply
from flexiapi.testing.loop_watch import reference_work

pytestmark = pytest.mark.long


class Config(BackendConfig):
    url: HttpUrl = Field(description="where messages are posted")
    token: SecretStr = Field(description="bearer token")
    ca_file: Path | None = Field(None, description="certificates to trust")


class Right(SmsBackend[Config]):
    Config = Config

    async def start(self):
        self.http = httpx.AsyncClient(timeout=10, verify=await asyncio.to_thread(tls_context, self.config.ca_file))

    async def post(self):
        try:
            return await self.http.post(str(self.config.url), json={}, headers={"x-key": "s3cret"})
        except httpx.TransportError as error:
            raise Retryable("unreachable") from error

    async def send(self, message):
        answer = await self.post()
        if answer.status_code == 410:
            raise Unregistered("gone")
        if answer.status_code in (429, 503):
            raise Retryable(f"answered {answer.status_code}")
        if not answer.is_success:
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
            context = await asyncio.to_thread(tls_context, self.config.ca_file)
            self.http = httpx.AsyncClient(timeout=10, verify=context, http2=True)

    def gateway(self):
        return Http2Gateway()

    def settings(self, gateway):
        return {**super().settings(gateway), "ca_file": gateway.ca_file}


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


@pytest.mark.parametrize("of", ["each send", "the first send"])
def test_send_that_blocks_for_a_moment(tmp_path, of):
    class Blocking(Right):
        is_first = True

        async def post(self):
            if self.is_first or of == "each send":
                time.sleep(0.05)  # noqa: ASYNC251 - this is what is wrong with it
            self.is_first = False
            return await super().post()

    told = failing("test_does_not_stop_the_loop_for_a_moment", tmp_path, backend=Blocking)
    assert "the event loop stood still" in told


def test_send_that_computes_for_a_moment(tmp_path):
    class Computing(Right):
        async def post(self):
            for _ in range(40):
                reference_work()
            return await super().post()

    told = failing("test_does_not_stop_the_loop_for_a_moment", tmp_path, backend=Computing)
    assert "the event loop stood still" in told


def test_machine_that_pauses_in_most_sends_is_no_standing_loop(tmp_path):
    class Unlucky(Right):
        stalls: ClassVar = [0.05] * 10

        async def post(self):
            time.sleep(self.stalls.pop() if self.stalls else 0)  # noqa: ASYNC251 - in the machine's place
            return await super().post()

    contract = type("Right", (Contract,), {"backend": Unlucky})()
    contract.data_path = tmp_path
    contract.test_does_not_stop_the_loop_for_a_moment()
    assert not Unlucky.stalls


@pytest.mark.parametrize("is_trusted", [False, True])
def test_certificates_that_are_not_verified(tmp_path, is_trusted):
    class Trusting(Right):
        async def start(self):
            context = ssl.create_default_context(cafile=self.config.ca_file)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_OPTIONAL if is_trusted else ssl.CERT_NONE
            self.http = httpx.AsyncClient(timeout=10, verify=context)

    def settings(self, gateway):
        ca_file = gateway.ca_file if gateway.url.startswith("https") else None
        return {"url": gateway.url, "token": "s3cret", "ca_file": ca_file}

    wrong = {"backend": Trusting, "settings": settings}
    contract = type("Wrong", (Contract,), wrong)()
    contract.data_path = tmp_path
    with pytest.raises(AssertionError, match="a server without a certificate to trust"):
        contract.test_tls_certificates_are_verified(is_trusted)
    contract = type("Declared", (Contract,), {**wrong, "verifies_tls": False})()
    contract.data_path = tmp_path
    contract.test_tls_certificates_are_verified(is_trusted)


@pytest.mark.parametrize("status", [302, 307])
def test_redirects_that_are_followed_with_the_secret(tmp_path, status):
    class Following(Right):
        async def start(self):
            self.http = httpx.AsyncClient(timeout=10, follow_redirects=True)

    contract = type("Wrong", (Contract,), {"backend": Following})()
    contract.data_path = tmp_path
    with pytest.raises(AssertionError, match="it follows a redirect to another server"):
        contract.test_redirects_are_not_followed(status)


def _print(message, _config):
    sys.stdout.write(message.text)


def _print_by_another_program(message, _config):
    subprocess.run([sys.executable, "-Sc", f"print({message.phone!r})"], check=True)


def _write_to_standard_error(message, _config):
    os.write(2, message.text.encode())


def _log(message, _config):
    logging.getLogger("acme").warning("sending to %s", message.phone)


def _print_a_secret(_message, config):
    sys.stdout.write(config.token.get_secret_value())


@pytest.mark.parametrize("tell", [_print, _print_by_another_program, _write_to_standard_error, _log, _print_a_secret])
def test_message_that_is_printed(tmp_path, tell):
    class Printing(Right):
        async def send(self, message):
            await asyncio.to_thread(tell, message, self.config)
            return await super().send(message)

    told = failing("test_prints_nothing_of_the_message", tmp_path, backend=Printing)
    assert "what is printed or logged" in told


def test_what_else_is_printed_or_logged_is_no_matter(tmp_path):
    class Harmless(Right):
        async def send(self, message):
            sys.stdout.write("sending")
            logging.getLogger("acme").debug("to %s", message.phone)
            return await super().send(message)

    contract = type("Right", (Contract,), {"backend": Harmless})()
    contract.data_path = tmp_path
    contract.test_prints_nothing_of_the_message()


def test_the_accepted_answer_is_the_gateways_in_every_test(tmp_path):
    class Choosy(Right):
        async def send(self, message):
            answer = await self.post()
            if answer.content != b'{"ok": true}':
                raise Permanent("not accepted")
            return Receipt()

    contract = type("Right", (Contract,), {"backend": Choosy, "accepted": reply(200, {"ok": True})})()
    contract.data_path = tmp_path
    contract.test_sends_and_returns_a_receipt()
    contract.test_does_not_stop_the_loop_for_a_moment()
    with contract.gateway() as gateway:
        assert contract.send(gateway) == Receipt()
    with contract.gateway() as gateway:
        gateway.answer(reply(503))
        with pytest.raises(Permanent):
            contract.send(gateway)


def test_retrying_by_itself(tmp_path):
    class Retrying(Right):
        async def post(self):
            await super().post()
            return await super().post()

    assert "a backend sends once" in failing("test_busy_is_retryable_and_asked_once", tmp_path, backend=Retrying)


def test_refusal_taken_for_busy(tmp_path):
    assert "Permanent" in failing("test_refused_is_permanent", tmp_path, refused=reply(429))


@pytest.mark.parametrize("answer", ["throttled", "deferred", "unwanted"])
def test_answer_about_an_address_taken_for_another(tmp_path, answer):
    test = "test_answers_about_the_address_are_told_from_those_about_the_provider"
    assert "429 is Retryable, not" in failing(test, tmp_path, **{answer: reply(429)})


def test_outage_blamed_on_the_address(tmp_path):
    class Blaming(Right):
        async def post(self):
            try:
                return await super().post()
            except Retryable as error:
                raise RecipientDeferred(error.reason) from error

    told = failing("test_outage_is_retryable_and_heals", tmp_path, backend=Blaming)
    assert "an outage is the provider's" in told


def test_more_connections_than_declared(tmp_path):
    class Greedy(Right):
        concurrency = 4

        async def post(self):
            async with httpx.AsyncClient(timeout=10) as http:
                return await http.post(str(self.config.url), json={})

    class Modest(Right):
        concurrency = 4

    test = "test_has_as_many_connections_as_it_declares_at_most"
    assert "it opens more connections" in failing(test, tmp_path, backend=Greedy)
    assert "a number of messages" in failing(test, tmp_path, backend=type("Wrong", (Right,), {"concurrency": 0}))
    contract = type("Good", (Contract,), {"backend": Modest})()
    contract.data_path = tmp_path
    getattr(contract, test)()


@pytest.mark.parametrize("lane", [lambda self, message: message.phone, lambda self, message: None])
def test_lane_that_is_no_name_or_tells_for_whom(tmp_path, lane):
    laned = type("Laned", (Right,), {"lane": lane})
    assert failing("test_says_which_lane_without_telling_for_whom", tmp_path, backend=laned)


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
