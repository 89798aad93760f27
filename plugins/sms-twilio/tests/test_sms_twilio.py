import asyncio
import dataclasses
from urllib.parse import urlencode

import pytest

from flexiapi.plugin import (
    Callback,
    DeliveryError,
    DeliveryReport,
    Permanent,
    RecipientRefused,
    Retryable,
    SmsMessage,
    Throttled,
    Unverified,
)
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, failure_of, reply, run_backend
from flexiapi.testing.profiles import Twilio
from flexiapi_sms_twilio import TwilioSms

MESSAGE = SmsMessage("+33612345678", "Votre code reçu & bon : 471100")
ACCOUNT = Twilio().account_sid
SERVICE = "MG0123456789abcdef0123456789abcdef"


def refusal(status, code, headers=None):
    body = {"code": code, "message": "The 'To' number +33612345678 is not valid", "status": status}
    return reply(status, body, headers=headers)


def options(gateway):
    return {"endpoint": gateway.url, "account_sid": gateway.account_sid, "auth_token": gateway.auth_token}


class TestTwilio(BackendContract):
    group, name = "flexiapi.sms", "twilio"
    busy = refusal(503, 20503)
    refused = refusal(400, 21612)

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


def send(gateway, message=MESSAGE, **settings):
    return run(gateway, lambda backend: backend.send(message), **settings)


def failure(gateway, **settings):
    return failure_of(lambda: send(gateway, **settings), "33612345678")


def test_what_is_posted(twilio):
    assert send(twilio).id == f"SM{1:032x}"
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


@pytest.mark.parametrize("answer", [reply(201, [1]), reply(201, body="<html>"), reply(201, {"sid": None})])
def test_an_accepted_text_stays_accepted_whatever_else_is_answered(twilio, answer):
    twilio.answer(answer)
    assert send(twilio).id is None


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
    twilio.status = "suspended"
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


@pytest.mark.parametrize(("life", "validity"), [(600, "600"), (0, "1"), (86400, "36000")])
def test_a_text_is_worth_no_more_to_twilio_than_its_life(twilio, life, validity):
    send(twilio, dataclasses.replace(MESSAGE, time_to_live=life))
    assert twilio.delivered[MESSAGE.phone][0]["ValidityPeriod"] == validity


SENDERS = {"+1": "+15017122661", "+33": "Registered", "+336": SERVICE, "+3361": "Longest"}


@pytest.mark.parametrize(
    ("phone", "sender"),
    [
        ("+14155550100", ("From", "+15017122661")),
        ("+33712345678", ("From", "Registered")),
        ("+33698765432", ("MessagingServiceSid", SERVICE)),
        ("+33612345678", ("From", "Longest")),
        ("+4915112345678", ("From", "Beta")),
    ],
)
def test_the_sender_of_a_country_precedes_that_of_the_domain(twilio, phone, sender):
    send(twilio, dataclasses.replace(MESSAGE, phone=phone, sender="Beta"), senders=SENDERS)
    [fields] = twilio.delivered[phone]
    assert [(name, value) for name, value in fields.items() if name in ("From", "MessagingServiceSid")] == [sender]


@pytest.mark.parametrize("prefix", ["33", "+", "+33 6", "fr"])
def test_a_prefix_is_that_of_a_phone_number(prefix):
    settings = {"account_sid": ACCOUNT, "auth_token": "t0ken", "sender": "Example", "senders": {prefix: "Example"}}
    with pytest.raises(ValueError, match="senders"):
        TwilioSms.Config.model_validate(settings)


@pytest.mark.parametrize("group", ["dead", "landlines", "opted_out"])
def test_an_answer_about_the_number_is_final_for_it(twilio, group):
    getattr(twilio, group).add(MESSAGE.phone)
    assert type(failure(twilio)) is RecipientRefused
    assert not twilio.delivered


@pytest.mark.parametrize("group", ["closed_countries", "unroutable"])
def test_a_country_that_twilio_does_not_serve_is_left_to_the_next_provider(twilio, group):
    getattr(twilio, group).add("+33")
    assert type(failure(twilio, sender="Example")) is Permanent


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (429, None), (400, 21611)])
def test_a_limit_of_twilio_is_no_outage(twilio, status, code):
    twilio.answer(refusal(status, code, {"retry-after": "17"}))
    error = failure(twilio)
    assert type(error) is Throttled
    assert error.retry_after == 17


def test_a_request_that_timed_out_is_tried_again(twilio):
    twilio.answer(reply(408))
    assert type(failure(twilio)) is Retryable


def test_as_many_connections_as_the_declared_concurrency(twilio):
    async def burst(backend):
        assert backend.concurrency == 5
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(40)))

    run(twilio, burst, concurrency=5)
    assert len(twilio.delivered[MESSAGE.phone]) == 40
    assert twilio.most_connections <= 5


def test_the_balance_is_the_credit(twilio):
    assert run(twilio, lambda backend: backend.credit()) == 12.34
    for answer in ({"balance": None}, {"balance": "unknown"}, {}):
        twilio.answer(reply(200, answer), path=f"/2010-04-01/Accounts/{ACCOUNT}/Balance.json")
        assert run(twilio, lambda backend: backend.credit()) is None
    twilio.answer(refusal(503, 20503), path=f"/2010-04-01/Accounts/{ACCOUNT}/Balance.json")
    assert type(failure_of(lambda: run(twilio, lambda backend: backend.credit()))) is Retryable


def test_an_account_under_another_one_has_no_credit_of_its_own(twilio):
    twilio.balance = None
    assert run(twilio, lambda backend: backend.credit()) is None


VOICE = {"voice_sender": "+15017122661"}
CALL = SmsMessage("+33612345678", "Votre code <est> : 4, 7, 1, 1 & c'est tout\x07", language="fr", channel="voice")


def test_a_call_reads_the_text_twice_in_its_language(twilio):
    receipt = send(twilio, CALL, **VOICE)
    [call] = twilio.calls[CALL.phone]
    assert (call.sid, call.sender, call.language, call.loop) == (receipt.id, VOICE["voice_sender"], "fr-FR", 2)
    assert call.text == "Votre code <est> : 4, 7, 1, 1 & c'est tout"
    assert not twilio.delivered


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        *(("en", "en-US"), ("en-GB", "en-GB"), ("fr_CA", "fr-CA"), ("fr-BE", "fr-FR"), ("no", "nb-NO"), ("xx", None)),
        *((None, None), ("uk", "uk-UA"), ("de", "de-AT")),
    ],
)
def test_a_call_speaks_a_language_that_twilio_knows(twilio, language, spoken):
    languages = {"voice_languages": {"uk": "uk-UA", "de": "de-AT"}}
    send(twilio, dataclasses.replace(CALL, language=language), **VOICE, **languages)
    assert twilio.calls[CALL.phone][0].language == spoken


def test_without_a_number_for_calls_there_are_none(twilio):
    async def channels(backend):
        return backend.channels

    assert run(twilio, channels) == {"text"}
    assert run(twilio, channels, **VOICE) == {"text", "voice"}
    error = failure_of(lambda: send(twilio, CALL), CALL.phone, CALL.text)
    assert type(error) is Permanent
    assert "set voice_sender" in error.reason
    assert not twilio.requests


def test_a_call_to_what_is_no_number_is_final_for_it(twilio):
    twilio.dead.add(CALL.phone)
    assert type(failure_of(lambda: send(twilio, CALL, **VOICE), CALL.phone)) is RecipientRefused
    twilio.dead.clear()
    twilio.closed_countries.add("+33")
    error = failure_of(lambda: send(twilio, CALL, **VOICE), CALL.phone)
    assert type(error) is Permanent
    assert "Voice, Geo permissions" in error.reason


@pytest.mark.parametrize(
    ("message", "told", "status"),
    [
        (MESSAGE, ("delivered", None), "delivered"),
        (MESSAGE, ("undelivered", 30003), "failed"),
        (MESSAGE, ("sent", None), "underway"),
        (CALL, ("completed", None), "delivered"),
        (CALL, ("no-answer", None), "failed"),
        (CALL, ("ringing", None), "underway"),
    ],
)
def test_a_report_of_twilio_about_a_text_or_a_call(twilio, message, told, status):
    receipt = send(twilio, message, **VOICE, **REPORTS)
    body, headers = twilio.signed(receipt.id, *told, signed_url=REPORTS["report_url"])
    callback = Callback(body, {name.lower(): value for name, value in headers.items()})
    [report] = run(twilio, lambda backend: backend.read_reports(callback), **REPORTS)
    reason = f"{told[0]} ({told[1]})" if told[1] else told[0]
    assert report == DeliveryReport(status, receipt.id, reason)


def test_a_message_of_an_earlier_server_is_sent(twilio):
    @dataclasses.dataclass
    class Earlier:
        phone: str = MESSAGE.phone
        text: str = MESSAGE.text

    assert send(twilio, Earlier()).id
