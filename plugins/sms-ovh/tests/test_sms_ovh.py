import asyncio
import dataclasses
import hashlib
import time

import pytest

from flexiapi.plugin import Permanent, Retryable, SmsMessage
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, Gateway, failure_of, reply, run_backend
from flexiapi_sms_ovh import OvhSms

MESSAGE = SmsMessage("+33612345678", "Votre code : 471100")
SERVICE = "sms-ab12345-1"
JOB = {"totalCreditsRemoved": 1, "invalidReceivers": [], "ids": [27814656], "validReceivers": ["+33612345678"]}
AN_HOUR = 3600


def refusal(status, code, headers=None):
    body = {"errorCode": code, "httpCode": f"{status}", "message": "No +33612345678 here"}
    return reply(status, body, headers=headers)


class Ovh(Gateway):
    """Takes only what is signed for its own clock, which is an hour ahead."""

    def __init__(self, **options):
        super().__init__(**options)
        self.ahead = AN_HOUR
        self.default = reply(200, JOB)
        self.answer(self.default)
        self.answer(lambda _: reply(200, int(time.time()) + self.ahead), path="/1.0/auth/time")
        self.answer(reply(200, [SERVICE, "sms-ab12345-2"]), path="/1.0/sms/")
        self.answer(reply(200, {"name": SERVICE, "creditsLeft": 12.5}), path=f"/1.0/sms/{SERVICE}")

    def received_one(self, request, path=None):
        answer = super().received_one(request, path)
        if path == "/1.0/auth/time":
            return answer
        return self.complaint(request) or answer

    def complaint(self, request):
        moment = request.headers["x-ovh-timestamp"]
        if abs(int(moment) - time.time() - self.ahead) > 30:
            return refusal(400, "QUERY_TIME_OUT")
        parts = ["app-s3cret", "consumer-k3y", request.method, self.url + request.target, request.body.decode(), moment]
        signature = "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()
        names = (request.headers["x-ovh-application"], request.headers["x-ovh-consumer"])
        wrong = request.headers["x-ovh-signature"] != signature or names != ("app-key", "consumer-k3y")
        return refusal(400, "INVALID_SIGNATURE") if wrong else None


def options(gateway):
    return {
        "endpoint": f"{gateway.url}/1.0",
        "application_key": "app-key",
        "application_secret": "app-s3cret",
        "consumer_key": "consumer-k3y",
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


def test_a_number_that_ovh_does_not_take(ovh):
    ovh.answer(reply(200, {**JOB, "ids": [], "invalidReceivers": ["+33612345678"]}))
    error = failure(ovh)
    assert isinstance(error, Permanent)
    assert "does not take the phone number" in error.reason


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(403, "INVALID_CREDENTIAL"), Permanent, "(INVALID_CREDENTIAL): look at consumer_key"),
        (refusal(404, "NOT_FOUND"), Permanent, "look at service and endpoint"),
        (refusal(400, "+33612345678"), Permanent, "OVH answers 400"),
        (reply(302, headers={"location": "http://127.0.0.1:9/"}), Permanent, "OVH answers 302"),
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
    ovh.answer(refusal(429, "TOO_MANY_REQUESTS", {"retry-after": "17"}))
    assert failure(ovh).retry_after == 17


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
    ovh.answer(reply(200, {"name": SERVICE, "creditsLeft": 0}), path=f"/1.0/sms/{SERVICE}")
    with pytest.raises(Permanent, match="no credits left"):
        run(ovh, lambda backend: backend.check())
    assert not ovh.sends


def test_endpoints_by_name():
    settings = {"application_key": "a", "application_secret": "b", "consumer_key": "c"}
    assert OvhSms.Config.model_validate(settings).endpoint == "https://eu.api.ovh.com/1.0"
    assert OvhSms.Config.model_validate({**settings, "endpoint": "ovh-ca"}).endpoint == "https://ca.api.ovh.com/1.0"
    with pytest.raises(ValueError, match="write one of ovh-eu, ovh-ca, ovh-us, or a URL"):
        OvhSms.Config.model_validate({**settings, "endpoint": "ovh-mars"})
