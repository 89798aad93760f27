"""Profiles of providers of SMS: what tests of backends may rely on."""

import base64
import hmac
from urllib.parse import parse_qsl

import httpx
import pytest

from flexiapi.testing import Gateway
from flexiapi.testing.profiles import Ovh, Twilio

NUMBER = "+33612345678"
TEXT = {"To": NUMBER, "From": "+15017122661", "Body": "Code 4711"}


@pytest.fixture(scope="module")
def client():
    with httpx.Client() as client:
        yield client


@pytest.fixture
def twilio():
    with Twilio() as gateway:
        yield gateway


@pytest.fixture
def ask(client, twilio):
    def asked(path, **more):
        url = f"{twilio.url}/2010-04-01/Accounts/{twilio.account_sid}{path}"
        return client.request("POST" if more else "GET", url, auth=(twilio.user, twilio.password), **more)

    return asked


def test_twilio_takes_texts_and_recognises_no_repeat(ask, twilio):
    answers = [ask("/Messages.json", data=TEXT) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["sid"] for answer in answers}) == 2
    assert twilio.delivered == {NUMBER: [TEXT, TEXT]}


@pytest.mark.parametrize(
    ("fields", "group", "code"),
    [
        ({}, "dead", 21211),
        ({}, "landlines", 21614),
        ({}, "opted_out", 21610),
        ({}, "closed_countries", 21408),
        ({"From": "Example"}, "unroutable", 21612),
        ({"To": "0612345678"}, None, 21211),
        ({"Body": ""}, None, 21602),
        ({"From": ""}, None, 21603),
        ({"ValidityPeriod": "36001"}, None, 21624),
    ],
)
def test_twilio_refuses_with_its_codes(ask, twilio, fields, group, code):
    if group is not None:
        getattr(twilio, group).add(NUMBER)
    answer = ask("/Messages.json", data={**TEXT, **fields})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not twilio.delivered


def test_twilio_takes_no_more_than_its_quota(ask, twilio):
    twilio.quota = 2
    answers = [ask("/Messages.json", data=TEXT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[-1].json()["code"] == 20429
    assert len(twilio.delivered[NUMBER]) == 2


def test_twilio_demands_a_sign_in(ask, client, twilio):
    twilio.password = "other"
    assert ask(".json").json()["status"] == "active"
    answer = client.get(f"{twilio.url}/2010-04-01/Accounts/{twilio.account_sid}.json", auth=(twilio.account_sid, "x"))
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_twilio_tells_the_balance_of_accounts_of_their_own(ask, twilio):
    assert ask("/Balance.json").json()["balance"] == "12.34"
    twilio.balance = None
    assert ask("/Balance.json").status_code == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Twiml": "<Response><Say>x</Say>"}, 12100),
        ({"Twiml": "<Response/>"}, 12100),
        ({"From": "Example"}, 21212),
        ({"To": "112"}, 21217),
    ],
)
def test_twilio_calls_with_what_it_can_read_out(ask, twilio, fields, code):
    good = {"To": NUMBER, "From": "+15017122661", "Twiml": '<Response><Say loop="2">4 &amp; 7</Say></Response>'}
    assert ask("/Calls.json", data={**good, **fields}).json()["code"] == code
    sid = ask("/Calls.json", data=good).json()["sid"]
    [call] = twilio.calls[NUMBER]
    assert (call.sid, call.text, call.loop, call.language) == (sid, "4 & 7", 2, None)


def test_twilio_signs_its_reports_for_the_url_that_it_was_given(ask, twilio):
    public = "https://accounts.example.org/callbacks/main"
    sid = ask("/Messages.json", data={**TEXT, "StatusCallback": public}).json()["sid"]
    with Gateway() as server:
        assert twilio.report(f"{server.url}/callbacks/main", sid, "undelivered", 30003).status_code == 200
    [request] = server.requests
    fields = dict(parse_qsl(request.body.decode()))
    assert (fields["MessageSid"], fields["MessageStatus"], fields["ErrorCode"]) == (sid, "undelivered", "30003")
    text = public + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(twilio.auth_token.encode(), text.encode(), "sha1")).decode()
    assert request.headers["x-twilio-signature"] == signature


def test_ovh_takes_only_what_is_signed(client):
    with Ovh() as ovh:
        answer = client.post(f"{ovh.url}/1.0/sms/{ovh.services[0]}/jobs", json={})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "QUERY_TIME_OUT")
        now = client.get(f"{ovh.url}/1.0/auth/time").json()
        headers = {"x-ovh-timestamp": str(now), "x-ovh-application": ovh.application_key, "x-ovh-signature": "$1$0"}
        answer = client.post(f"{ovh.url}/1.0/sms/{ovh.services[0]}/jobs", json={}, headers=headers)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_SIGNATURE")
    assert not ovh.delivered


def test_ovh_calls_a_url_about_a_delivery():
    with Ovh() as ovh, Gateway() as server:
        ovh.report(f"{server.url}/callbacks/ovh?secret=x", "27814656", 4, 1)
    [request] = server.requests
    assert request.method == "GET"
    assert {**request.query, "date": ""} == {
        "secret": "x",
        "id": "27814656",
        "ptt": "4",
        "date": "",
        "description": "1",
        "descriptionDlr": "as OVH says it",
    }
