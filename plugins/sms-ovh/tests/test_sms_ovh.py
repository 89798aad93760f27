import asyncio
import dataclasses
import time

import pytest

from flexiapi.plugin import (
    Callback,
    DeliveryReport,
    Permanent,
    RecipientRefused,
    Retryable,
    SmsMessage,
    Throttled,
    Unverified,
)
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, failure_of, reply, run_backend
from flexiapi.testing.profiles import Ovh
from flexiapi_sms_ovh import OvhSms

MESSAGE = SmsMessage("+33612345678", "Votre code : 471100")
SERVICE = "sms-ab12345-1"
AN_HOUR = 3600


def refusal(status, code, headers=None):
    body = {"errorCode": code, "httpCode": f"{status}", "message": "No +33612345678 here"}
    return reply(status, body, headers=headers)


def options(gateway):
    return {
        "endpoint": f"{gateway.url}/1.0",
        "application_key": gateway.application_key,
        "application_secret": gateway.application_secret,
        "consumer_key": gateway.consumer_key,
    }


class TestOvh(BackendContract):
    group, name = "flexiapi.sms", "ovh"
    busy = refusal(503, "INTERNAL_SERVER_ERROR")
    refused = refusal(403, "NOT_GRANTED_CALL")

    def gateway(self):
        return Ovh()

    def settings(self, gateway):
        return {**options(gateway), "sender": "Example"}


@pytest.fixture
def ovh():
    with Ovh() as gateway:
        yield gateway


def run(gateway, use, **settings):
    return run_backend(OvhSms(OvhSms.Config.model_validate({**options(gateway), **settings})), use)


def send(gateway, message=MESSAGE, **settings):
    return run(gateway, lambda backend: backend.send(message), **settings)


def failure(gateway, **settings):
    return failure_of(lambda: send(gateway, **settings), "33612345678")


def test_what_is_posted(ovh):
    assert send(ovh, sender="Example").id == "27814656"
    (request,) = ovh.sends
    assert (request.method, request.path) == ("POST", f"/1.0/sms/{SERVICE}/jobs")
    assert request.json() == {
        "charset": "UTF-8",
        "class": "phoneDisplay",
        "coding": "7bit",
        "message": "Votre code : 471100",
        "noStopClause": True,
        "priority": "high",
        "receivers": ["+33612345678"],
        "sender": "Example",
        "senderForResponse": False,
        "validityPeriod": 2880,
    }


def test_without_a_sender_and_with_a_service_of_choice(ovh):
    send(ovh, service="sms-ab12345-2")
    (request,) = ovh.sends
    assert request.path == "/1.0/sms/sms-ab12345-2/jobs"
    assert "sender" not in request.json()
    assert request.json()["senderForResponse"] is True
    assert "/1.0/sms/" not in {request.path for request in ovh.requests}


@pytest.mark.parametrize(("text", "coding"), [("Code é€[1]: 12", "7bit"), ("Ваш код: 1234", "8bit"), ("ç 😀", "8bit")])
def test_texts_beyond_the_gsm_alphabet(ovh, text, coding):
    send(ovh, dataclasses.replace(MESSAGE, text=text))
    job = ovh.sends[0].json()
    assert (job["message"], job["coding"]) == (text, coding)


def test_time_and_service_are_asked_once(ovh):
    async def many(backend):
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(5)))
        await backend.send(MESSAGE)

    run(ovh, many)
    assert [request.path for request in ovh.requests].count("/1.0/auth/time") == 1
    assert len(ovh.sends) == 6


def test_a_clock_that_jumped_is_asked_again(ovh):
    async def three(backend):
        await backend.send(MESSAGE)
        ovh.ahead = 0
        with pytest.raises(Retryable, match="QUERY_TIME_OUT"):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(ovh, three)


def test_a_number_that_ovh_does_not_take_is_refused_for_good(ovh):
    ovh.dead.add(MESSAGE.phone)
    error = failure(ovh)
    assert type(error) is RecipientRefused
    assert "does not take the phone number" in error.reason


def test_a_job_without_sms_is_left_to_the_next_provider(ovh):
    ovh.answer(reply(200, {"ids": [], "invalidReceivers": []}))
    assert type(failure(ovh)) is Permanent


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(403, "INVALID_CREDENTIAL"), Permanent, "(INVALID_CREDENTIAL): look at consumer_key"),
        (refusal(404, "NOT_FOUND"), Permanent, "look at service and endpoint"),
        (refusal(400, "+33612345678"), Permanent, "OVH answers 400"),
        (reply(302, headers={"location": "http://127.0.0.1:9/"}), Permanent, "OVH answers 302"),
        (reply(402, {"message": "."}), Permanent, "OVH answers 402: the SMS service has no credits left: buy some"),
        (reply(408), Retryable, "OVH answers 408"),
        (reply(502, body="<html>"), Retryable, "OVH answers 502"),
        (reply(200, body="<html>"), Retryable, "is not JSON"),
        (reply(200, []), Retryable, "does not answer as it should"),
        (reply(200, {"ids": None}), Retryable, "does not answer as it should"),
        (RESET, Retryable, "cannot be reached, or broke off"),
        (GARBAGE, Retryable, "cannot be reached, or broke off"),
    ],
)
def test_odd_answers(ovh, answer, kind, reason):
    ovh.answer(answer)
    error = failure(ovh)
    assert type(error) is kind
    assert reason in error.reason


@pytest.mark.parametrize("answer", [reply(503), reply(200, "noon"), reply(200, body="<html>"), RESET, GARBAGE])
def test_trouble_with_the_time_is_retryable_and_heals(ovh, answer):
    async def two(backend):
        ovh.answer(answer, reply(200, int(time.time()) + AN_HOUR), path="/1.0/auth/time")
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(ovh, two)


def test_a_caller_that_leaves_while_the_time_is_asked_harms_nobody(ovh):
    async def two(backend):
        ovh.answer(SILENCE, reply(200, int(time.time()) + AN_HOUR), path="/1.0/auth/time")
        leaves = asyncio.create_task(backend.send(MESSAGE))
        while not ovh.requests:  # noqa: ASYNC110 - they come in on the loop of another thread
            await asyncio.sleep(0.01)
        stays = asyncio.create_task(backend.send(MESSAGE))
        leaves.cancel()
        await stays

    run(ovh, two, service=SERVICE)


def test_retry_after_is_handed_on(ovh):
    ovh.quota = 0
    assert failure(ovh).retry_after is None
    ovh.answer(refusal(429, "TOO_MANY_REQUESTS", {"retry-after": "17"}))
    error = failure(ovh)
    assert type(error) is Throttled
    assert error.retry_after == 17


def test_wrong_keys(ovh):
    error = failure(ovh, application_secret="wrong")
    assert isinstance(error, Permanent)
    assert "(INVALID_SIGNATURE): look at application_secret and consumer_key" in error.reason


def test_an_account_without_service(ovh):
    ovh.answer(reply(200, []), path="/1.0/sms/")
    assert "has no SMS service" in failure(ovh).reason


def test_tls_that_cannot_be_trusted():
    with Ovh(tls=True) as ovh:
        assert "certificate of OVH is not trusted" in failure(ovh).reason
        send(ovh, ca_file=ovh.ca_file)
    with Ovh(tls=True, certificate_for="elsewhere.example.org") as ovh:
        assert "look at endpoint and ca_file" in failure(ovh, ca_file=ovh.ca_file).reason
        assert not ovh.requests


def test_check_looks_at_the_credits_and_sends_nothing(ovh):
    run(ovh, lambda backend: backend.check())
    ovh.credits = 0
    with pytest.raises(Permanent, match="no credits left"):
        run(ovh, lambda backend: backend.check())
    assert not ovh.sends


def test_endpoints_by_name():
    settings = {"application_key": "a", "application_secret": "b", "consumer_key": "c"}
    assert OvhSms.Config.model_validate(settings).endpoint == "https://eu.api.ovh.com/1.0"
    assert OvhSms.Config.model_validate({**settings, "endpoint": "ovh-ca"}).endpoint == "https://ca.api.ovh.com/1.0"
    with pytest.raises(ValueError, match="write one of ovh-eu, ovh-ca, ovh-us, or a URL"):
        OvhSms.Config.model_validate({**settings, "endpoint": "ovh-mars"})


@pytest.mark.parametrize(
    ("life", "settings", "minutes"),
    [(600, {}, 10), (601, {}, 11), (20, {}, 1), (0, {}, 1), (999999, {}, 2880), (600, {"validity_minutes": 5}, 5)],
)
def test_a_text_is_worth_no_more_to_ovh_than_its_life(ovh, life, settings, minutes):
    send(ovh, dataclasses.replace(MESSAGE, time_to_live=life), **settings)
    assert ovh.delivered[MESSAGE.phone][0]["validityPeriod"] == minutes


@pytest.mark.parametrize(
    ("phone", "sender"),
    [("+14155550100", "1415"), ("+33712345678", "France"), ("+33612345678", "Mobile"), ("+4915112345678", "Beta")],
)
def test_the_sender_of_a_country_precedes_that_of_the_domain(ovh, phone, sender):
    senders = {"+1": "1415", "+33": "France", "+336": "Mobile"}
    send(ovh, dataclasses.replace(MESSAGE, phone=phone, sender="Beta"), senders=senders)
    [job] = ovh.delivered[phone]
    assert (job["sender"], job["senderForResponse"]) == (sender, False)


def test_a_prefix_is_that_of_a_phone_number(ovh):
    with pytest.raises(ValueError, match="senders"):
        send(ovh, senders={"33": "Example"})


def test_a_service_without_credits_leaves_the_text_to_the_next_provider(ovh):
    ovh.credits = 0
    error = failure(ovh)
    assert type(error) is Permanent
    assert "no credits left: buy some" in error.reason


def test_what_a_text_costs_and_what_is_left(ovh):
    assert send(ovh).cost == 1
    assert send(ovh, dataclasses.replace(MESSAGE, text="Code 4711. " * 20)).cost == 2
    assert run(ovh, lambda backend: backend.credit()) == 99997


def test_as_many_connections_as_the_declared_concurrency(ovh):
    async def burst(backend):
        assert backend.concurrency == 5
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(40)))

    run(ovh, burst, concurrency=5)
    assert len(ovh.delivered[MESSAGE.phone]) == 40
    assert ovh.most_connections <= 5


def test_ovh_makes_no_calls(ovh):
    call = dataclasses.replace(MESSAGE, channel="voice")
    assert type(failure_of(lambda: send(ovh, call), MESSAGE.phone)) is Permanent
    assert not ovh.requests


def test_a_message_of_an_earlier_server_is_sent(ovh):
    @dataclasses.dataclass
    class Earlier:
        phone: str = MESSAGE.phone
        text: str = MESSAGE.text

    assert send(ovh, Earlier()).id


class TestReports:
    SECRET = "dGhlIHNlY3JldA_-x1"

    def read(self, query, body=b"", secret=SECRET):
        settings = {"application_key": "a", "application_secret": "b", "consumer_key": "c", "report_secret": secret}
        backend = OvhSms(OvhSms.Config.model_validate(settings))
        return run_backend(backend, lambda started: started.read_reports(Callback(body, {}, query)))

    @pytest.mark.parametrize(
        ("told", "report"),
        [
            ("ptt=4&description=1", DeliveryReport("delivered", "27814656", "ptt 4, dlr 1")),
            ("ptt=23&description=2", DeliveryReport("failed", "27814656", "ptt 23, dlr 2")),
            ("ptt=3&description=8", DeliveryReport("underway", "27814656", "ptt 3, dlr 8")),
            ("ptt=4", DeliveryReport("delivered", "27814656", "ptt 4")),
            ("ptt=6", DeliveryReport("underway", "27814656", "ptt 6")),
            ("ptt=202&description=x", DeliveryReport("failed", "27814656", "ptt 202")),
            ("ptt=%2B33612345678", DeliveryReport("underway", "27814656")),
        ],
    )
    @pytest.mark.parametrize("sign", ["&", "?"])
    def test_a_call_of_ovh_is_read(self, told, report, sign):
        assert self.read(f"secret={self.SECRET}{sign}id=27814656&{told}&date=20261130083000") == [report]

    @pytest.mark.parametrize("query", ["", "secret=", "secret=other", "id=1&ptt=4", f"x={SECRET}", f"secret={SECRET}x"])
    def test_one_without_the_secret_is_nobodys(self, query):
        with pytest.raises(Unverified):
            self.read(query)

    def test_without_a_secret_in_the_settings_no_report_is_taken(self):
        for query in ("", "secret=", "secret=None"):
            with pytest.raises(Unverified):
                self.read(query, secret=None)

    @pytest.mark.parametrize("secret", ["short", "sixteen letters?", "a&b=cdefghijklmnop"])
    def test_a_secret_has_to_fit_into_a_url(self, secret):
        with pytest.raises(ValueError, match="at least 16 letters"):
            self.read("", secret=secret)
