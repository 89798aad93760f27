"""Codes that are read out in a call, which users ask for where the service can call their number."""

import re

import pytest

from flexiapi.plugin import Permanent
from flexiapi.testing.profiles import Twilio

CALLED, TEXTED = "+336123456", "+417812345"
"""Beginnings of numbers: of those that a backend can call, and of those that get SMS only."""
REFUSED = {"channel": ["channel cannot be voice: this service does not call such numbers"]}


@pytest.fixture
def configure(scripted, monkeypatch):
    monkeypatch.setattr(scripted.Sms, "channels", frozenset({"text", "voice"}), raising=False)
    return {
        "sms": {
            "texting": {"backend": "other", "order": 0},
            "calling": {"backend": "scripted", "order": 1, "prefixes": ["+33"]},
        },
        "limits": {"sms_per_hour": 2, "codes_per_account": 0},
    }


class Asking:
    """The five ways to have a code sent to a number, each as a new account."""

    def __init__(self, server):
        self._server = server

    def _post(self, path, body, **headers):
        return self._server.http.post(f"/api/accounts/{path}", json=body, headers=headers)

    def signing_up(self, phone, **more):
        body = {"phone": phone, "password": "correct-horse-battery", "algorithm": "SHA-256"}
        return self._post("public", {**body, "account_creation_token": self._server.creation_token(), **more})

    def recovery(self, phone, **more):
        self._server.person(phone=phone)
        return self._post(
            "recover-by-phone", {"phone": phone, **more, "account_creation_token": self._server.creation_token()}
        )

    def change_of_number(self, phone, **more):
        return self._post("me/phone/request", {"phone": phone, **more}, **self._server.person().headers)

    def sending_again(self, phone, **more):
        waiting = self._server.person(activated=False, unconfirmed=True, claimed_phone=phone)
        return self._post("me/resend", more, **waiting.headers)

    def sending_again_by_an_administrator(self, phone, **more):
        waiting = self._server.person(activated=False, unconfirmed=True, claimed_phone=phone)
        admin = self._server.person(admin_since=self._server.clock.second())
        return self._post(f"{waiting.id}/resend", more, **admin.headers)


WAYS = [name for name in vars(Asking) if not name.startswith("_")]


def test_every_code_to_a_number_is_read_out_when_the_user_asks_for_it(server, scripted):
    for place, way in enumerate(WAYS):
        answer = getattr(Asking(server), way)(f"{CALLED}{place:02}", channel="voice")
        assert answer.status_code == 200, (way, answer.text)
        call = scripted.Sms.sent[-1]
        assert len(scripted.Sms.sent) == place + 1
        assert (call.phone, call.channel) == (f"{CALLED}{place:02}", "voice")
        assert ", ".join(call.code) in call.text
        assert call.code not in call.text
        assert "http" not in call.text
    assert scripted.Other.sent == []


def test_without_the_field_codes_are_texts_as_before(server, scripted):
    for place, way in enumerate(WAYS):
        more = {} if place % 2 else {"channel": "sms"}
        assert getattr(Asking(server), way)(f"{CALLED}{place:02}", **more).status_code == 200
        assert scripted.Other.sent[-1].channel == "text"
        assert scripted.Other.sent[-1].code in scripted.Other.sent[-1].text
    assert scripted.Sms.sent == []


def test_voice_is_refused_where_no_backend_calls_before_anything_is_stored_or_counted(server, scripted):
    for place, way in enumerate(WAYS):
        answer = getattr(Asking(server), way)(f"{TEXTED}{place:02}", channel="voice")
        assert (answer.status_code, answer.json()["errors"]) == (422, REFUSED), way
        wrong = getattr(Asking(server), way)(f"{CALLED}{place + 50:02}", channel="pigeon")
        assert wrong.json()["errors"] == {"channel": ["channel must be sms or voice"]}
    assert scripted.Sms.sent == scripted.Other.sent == []
    assert server.run(server.store.limits.standing("sms_hour", f"{TEXTED}02", server.clock.now())) == []


def test_calls_and_texts_to_a_number_have_one_limit(server, scripted):
    person, phone = server.person(), f"{CALLED}01"

    def ask(channel):
        body = {"phone": phone, "channel": channel}
        return server.http.post("/api/accounts/me/phone/request", json=body, headers=person.headers).status_code

    assert [ask("sms"), ask("voice"), ask("voice"), ask("sms")] == [200, 200, 429, 429]


def test_a_call_that_fails_does_not_become_a_text(server, scripted):
    scripted.Sms.script[:] = [Permanent("busy")]
    answer = Asking(server).change_of_number(f"{CALLED}01", channel="voice")
    assert answer.status_code == 503
    assert scripted.Other.sent == []


def test_a_called_code_confirms_as_a_texted_one_does(server, http, scripted):
    person = server.person()
    body = {"phone": f"{CALLED}01", "channel": "voice"}
    assert http.post("/api/accounts/me/phone/request", json=body, headers=person.headers).status_code == 200
    code = {"code": scripted.Sms.sent[-1].code}
    assert http.post("/api/accounts/me/phone", json=code, headers=person.headers).json()["phone"] == body["phone"]


def test_the_channel_says_nothing_of_a_code_that_is_mailed(server, http, scripted):
    waiting = server.person(activated=False, unconfirmed=True, email="waiting@example.org")
    answer = http.post("/api/accounts/me/resend", json={"channel": "voice"}, headers=waiting.headers)
    assert answer.status_code == 200
    assert scripted.Sms.sent == scripted.Other.sent == []
    assert server.messages[-1]["to"] == "waiting@example.org"


class TestByTwilio:
    """The whole way: from the field of the request to the words that a person hears."""

    NUMBER = "+33612345678"

    @pytest.fixture
    def twilio(self):
        with Twilio() as gateway:
            yield gateway

    @pytest.fixture
    def configure(self, twilio):
        account = {"account_sid": twilio.account_sid, "auth_token": twilio.auth_token, "endpoint": twilio.url}
        return {"sms": {"main": {"backend": "twilio", "voice_sender": "+15017122661", "sender": "Example", **account}}}

    def test_a_person_hears_the_digits_in_her_language_and_types_them(self, server, http, twilio):
        person = server.person()
        headers = {**person.headers, "Accept-Language": "fr-FR, en;q=0.5"}
        body = {"phone": self.NUMBER, "channel": "voice"}
        assert http.post("/api/accounts/me/phone/request", json=body, headers=headers).status_code == 200
        (call,) = twilio.calls[self.NUMBER]
        assert (call.language, dict(twilio.delivered)) == ("fr-FR", {})
        heard = re.search(
            r"votre code de validation est ((?:[0-9], ){3}[0-9])\. Il est valable 10 minutes\.", call.text
        )
        code = {"code": heard[1].replace(", ", "")}
        assert http.post("/api/accounts/me/phone", json=code, headers=headers).json()["phone"] == self.NUMBER
