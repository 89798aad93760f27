import asyncio
import base64
import dataclasses
from urllib.parse import urlencode

import pytest

from flexiapi.plugin import Callback, DeliveryError, Permanent, Retryable, SmsMessage, Unverified
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, Gateway, failure_of, reply, run_backend
from flexiapi_sms_twilio import TwilioSms

MESSAGE = SmsMessage("+33612345678", "Votre code reçu & bon : 471100")
ACCOUNT = "AC0123456789abcdef"


def refusal(status, code, headers=None):
    body = {"code": code, "message": "The 'To' number +33612345678 is not valid", "status": status}
    return reply(status, body, headers=headers)


class Twilio(Gateway):
    """Takes only those that sign in."""

    user, password = ACCOUNT, "t0ken"

    def __init__(self, **options):
        super().__init__(**options)
        self.default = reply(201, {"sid": "SM1234", "status": "queued", "error_code": None})
        self.answer(self.default)
        self.answer(reply(200, {"sid": ACCOUNT, "status": "active"}), path=f"/2010-04-01/Accounts/{ACCOUNT}.json")

    def received_one(self, request, path=None):
        answer = super().received_one(request, path)
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return answer if request.headers.get("authorization") == f"Basic {expected}" else refusal(401, 20003)


def options(gateway):
    return {"endpoint": gateway.url, "account_sid": ACCOUNT, "auth_token": "t0ken"}


class TestTwilio(BackendContract):
    group, name = "flexiapi.sms", "twilio"
    busy = refusal(429, 20429)
    refused = refusal(400, 21211)

    def gateway(self):
        return Twilio()

    def settings(self, gateway):
        return {**options(gateway), "sender": "+15017122661"}


@pytest.fixture
def twilio():
    with Twilio() as gateway:
        yield gateway


def run(gateway, use, **settings):
    sender = {} if "messaging_service_sid" in settings else {"sender": "+15017122661"}
    return run_backend(TwilioSms(TwilioSms.Config.model_validate({**options(gateway), **sender, **settings})), use)


def send(gateway, **settings):
    return run(gateway, lambda backend: backend.send(MESSAGE), **settings)


def failure(gateway, **settings):
    return failure_of(lambda: send(gateway, **settings), "33612345678")


def test_what_is_posted(twilio):
    assert send(twilio).id == "SM1234"
    (request,) = twilio.sends
    assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form() == {"To": "+33612345678", "From": "+15017122661", "Body": MESSAGE.text}


def test_by_a_messaging_service_with_an_api_key(twilio):
    twilio.user = "SK42"
    send(twilio, messaging_service_sid="MG42", api_key_sid="SK42")
    assert twilio.sends[0].form() == {"To": "+33612345678", "MessagingServiceSid": "MG42", "Body": MESSAGE.text}


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(400, 21408), Permanent, "(21408): allow the country in Twilio's console"),
        (refusal(400, 29999), Permanent, "Twilio answers 400 (29999)"),
        (refusal(400, "+33612345678"), Permanent, "Twilio answers 400"),
        (reply(302, headers={"location": "http://127.0.0.1:9/"}), Permanent, "Twilio answers 302"),
        (reply(502, body="<html>"), Retryable, "Twilio answers 502"),
        (reply(200, body="<html>"), Retryable, "does not answer as it should"),
        (reply(201, [1]), Retryable, "does not answer as it should"),
        (RESET, Retryable, "cannot be reached, or broke off"),
        (GARBAGE, Retryable, "cannot be reached, or broke off"),
    ],
)
def test_odd_answers_and_what_comes_after(twilio, answer, kind, reason):
    async def two(backend):
        twilio.answer(answer, twilio.default)
        with pytest.raises(DeliveryError) as caught:
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)
        return caught.value

    error = run(twilio, two)
    assert type(error) is kind
    assert reason in error.reason
    assert "33612345678" not in error.reason


def test_a_silent_answer_holds_nobody_else(twilio):
    async def two(backend):
        twilio.answer(SILENCE, twilio.default)
        silent = asyncio.create_task(backend.send(MESSAGE))
        await twilio.received()
        await backend.send(MESSAGE)
        silent.cancel()

    run(twilio, two)


def test_retry_after_is_handed_on(twilio):
    twilio.answer(refusal(503, 20503, {"retry-after": "17"}))
    assert failure(twilio).retry_after == 17


def test_wrong_token(twilio):
    error = failure(twilio, auth_token="wrong")
    assert isinstance(error, Permanent)
    assert "look at account_sid, api_key_sid and auth_token" in error.reason


def test_tls_that_cannot_be_trusted():
    with Twilio(tls=True) as twilio:
        assert "certificate of Twilio is not trusted" in failure(twilio).reason
        send(twilio, ca_file=twilio.ca_file)
    with Twilio(tls=True, certificate_for="elsewhere.example.org") as twilio:
        assert "look at endpoint and ca_file" in failure(twilio, ca_file=twilio.ca_file).reason
        assert not twilio.requests


def test_check_looks_at_the_account_and_sends_nothing(twilio):
    run(twilio, lambda backend: backend.check())
    twilio.answer(reply(200, {"status": "suspended"}), path=f"/2010-04-01/Accounts/{ACCOUNT}.json")
    with pytest.raises(Permanent, match="the account is suspended"):
        run(twilio, lambda backend: backend.check())
    with pytest.raises(Permanent, match="look at account_sid"):
        run(twilio, lambda backend: backend.check(), auth_token="wrong")
    assert not twilio.sends


def test_settings_that_cannot_work():
    settings = {"account_sid": ACCOUNT, "auth_token": "t0ken"}
    for more in ({}, {"sender": "+15017122661", "messaging_service_sid": "MG42"}):
        with pytest.raises(ValueError, match="set either sender or messaging_service_sid"):
            TwilioSms.Config.model_validate({**settings, **more})
    with pytest.raises(ValueError, match="account_sid"):
        TwilioSms.Config.model_validate({**settings, "account_sid": "../x", "sender": "+15017122661"})


def test_the_sender_of_a_domain_precedes_that_of_the_settings(twilio):
    message = dataclasses.replace(MESSAGE, sender="Beta")
    run(twilio, lambda backend: backend.send(message))
    run(twilio, lambda backend: backend.send(message), messaging_service_sid="MG1")
    assert [request.form()["From"] for request in twilio.sends] == ["Beta", "Beta"]


REPORTS = {"report_url": "https://accounts.example.org/callbacks/main"}


def test_twilio_is_told_where_to_report(twilio):
    run(twilio, lambda backend: backend.send(MESSAGE), **REPORTS)
    assert twilio.sends[0].form()["StatusCallback"] == REPORTS["report_url"]


def test_a_report_is_signed_with_the_token_of_the_account(twilio):
    # The example of Twilio's documentation of signatures.
    url, token = "https://mycompany.com/myapp.php?foo=1&bar=2", "12345"
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309"}
    body = urlencode({**fields, "To": "+18005551212"}).encode()
    signature = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    settings = {"report_url": url, "report_token": token}
    [report] = run(twilio, lambda backend: backend.read_reports(Callback(body, signature)), **settings)
    assert report.status == "underway"
    for callback in (Callback(body), Callback(body + b"5", signature)):
        with pytest.raises(Unverified):
            run(twilio, lambda backend, forged=callback: backend.read_reports(forged), **settings)


def test_an_api_key_signs_no_reports(twilio):
    with pytest.raises(ValueError, match="set report_token"):
        run(twilio, lambda backend: backend.check(), api_key_sid="SK1", **REPORTS)
