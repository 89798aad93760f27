"""Providers that fail, at the other end of a real connection."""

import asyncio

import pytest

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import Notifier, lane
from flexiapi.notify.lane import Circuit
from flexiapi.plugin import MailMessage, SmsMessage
from flexiapi.settings import Settings
from flexiapi.testing import GARBAGE, GOAWAY, RESET, SILENCE, Gateway, SmtpGateway, reply
from tests.kit.clocks import Clock

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_waits")]

SMS = SmsMessage("+33612345678", "Your code is 4711")
MAIL = MailMessage("alice@example.org", "Hello", "Your code is 4711")

FAULTS = {
    "silent": SILENCE,
    "resetting": RESET,
    "garbage": GARBAGE,
    "leaving": GOAWAY,
    "busy": reply(503),
    "refusing": reply(554, body="5.7.1 we do not relay"),
}


def sms_table(gateway, **more):
    return {"backend": "http", "url": gateway.url, "body_json": {"to": "{{ phone }}", "text": "{{ text }}"}, **more}


def mail_table(gateway):
    return {"backend": "smtp", "host": gateway.host, "port": gateway.port, "encryption": "none"}


def used(use, delivery=None, **tables):
    """Return the result of `use` with a notifier of these tables."""
    settings = Settings.model_validate({"delivery": {"deadline_seconds": 16, **(delivery or {})}, **tables})

    async def whole():
        notifier = Notifier(settings)
        await notifier.start()
        try:
            return await use(notifier)
        finally:
            await notifier.close()

    return asyncio.run(whole())


def send_sms(notifier):
    return notifier.sms(SMS)


def send_mail(notifier):
    return notifier.mail(MAIL)


@pytest.mark.parametrize("fault", FAULTS)
def test_sms_provider_that_fails_is_a_503_and_leaves_the_rest_to_the_next(fault):
    with Gateway() as failing, Gateway() as good:
        failing.answer(FAULTS[fault])
        with pytest.raises(DeliveryFailed):
            used(send_sms, {"deadline_seconds": 1}, sms={"main": sms_table(failing)})
        used(send_sms, sms={"main": sms_table(failing), "spare": sms_table(good)})
    assert len(good.sends) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_mail_server_that_fails_is_a_503_and_leaves_the_rest_to_the_next(fault):
    with SmtpGateway() as failing, SmtpGateway() as good:
        failing.answer(FAULTS[fault])
        with pytest.raises(DeliveryFailed):
            used(send_mail, {"deadline_seconds": 1}, mail={"main": mail_table(failing)})
        used(send_mail, mail={"main": mail_table(failing), "spare": mail_table(good)})
    assert len(good.sends) == 1


def test_provider_with_another_certificate_gets_nothing():
    with Gateway(tls=True, certificate_for="other.example.org") as gateway:
        with pytest.raises(DeliveryFailed) as caught:
            used(send_sms, sms={"main": sms_table(gateway, ca_file=gateway.ca_file)})
        assert "TLS failed" in caught.value.__cause__.reason
    assert not gateway.requests


def test_tries_are_made_over_the_wire_until_one_is_accepted():
    with Gateway() as gateway:
        gateway.answer(reply(503), RESET, reply(200))
        used(send_sms, sms={"main": sms_table(gateway)})
    assert len(gateway.sends) == 3


def test_a_client_that_hangs_up_harms_nobody():
    async def hang_up(notifier):
        sending = [asyncio.create_task(notifier.sms(SMS)) for _ in range(5)]
        await gateway.received(5)
        for task in sending:
            task.cancel()
        ended = await asyncio.gather(*sending, return_exceptions=True)
        assert [type(end) for end in ended] == [asyncio.CancelledError] * 5
        gateway.answer(reply(200))
        return await asyncio.gather(*(notifier.sms(SMS) for _ in range(5)))

    with Gateway() as gateway:
        gateway.answer(SILENCE)
        delivery = {"concurrent": 5, "circuit_failures": 1, "deadline_seconds": 30}
        assert len(used(hang_up, delivery, sms={"main": sms_table(gateway)})) == 5


@pytest.mark.parametrize(
    ("kind", "table", "send", "transport"),
    [(Gateway, sms_table, send_sms, "sms"), (SmtpGateway, mail_table, send_mail, "mail")],
    ids=["sms", "mail"],
)
def test_a_provider_that_is_back_is_used_without_a_restart(kind, table, send, transport, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lane, "Circuit", lambda failures, rest: Circuit(failures, rest, clock))

    async def outage(notifier):
        await send(notifier)
        gateway.stop()
        for _ in range(3):
            with pytest.raises(DeliveryFailed):
                await send(notifier)
        gateway.start()
        with pytest.raises(DeliveryFailed) as caught:
            await send(notifier)
        assert caught.value.__cause__.reason == "resting after repeated failures"
        clock.now += 2
        await send(notifier)

    delivery = {"circuit_failures": 3, "circuit_seconds": 2, "tries": 1}
    with kind() as gateway:
        used(outage, delivery, **{transport: {"main": table(gateway)}})
    assert len(gateway.sends) == 2
