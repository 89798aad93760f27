"""Codes through Twilio and OVH as they are in the field: two providers in order, their refusals, calls and reports."""

import re

import pytest

from flexiapi.notify import figures
from flexiapi.testing.profiles import Ovh, Twilio
from tests.kit.watched_log import LOG

PHONE = "+33612345678"
SECRET = "Vm9pbGEtdW4tc2VjcmV0"
PUBLIC = "https://accounts.example.org/callbacks"


@pytest.fixture
def twilio():
    with Twilio() as gateway:
        yield gateway


@pytest.fixture
def ovh():
    with Ovh() as gateway:
        yield gateway


@pytest.fixture
def configure(twilio, ovh):
    first = {"backend": "twilio", "endpoint": twilio.url, "report_url": f"{PUBLIC}/first", "sender": "Example"}
    second = {"backend": "ovh", "order": 1, "endpoint": f"{ovh.url}/1.0", "report_secret": SECRET}
    return {
        "sms": {
            "first": {
                **first,
                "account_sid": twilio.account_sid,
                "auth_token": twilio.auth_token,
                "voice_sender": "+15017122661",
                "senders": {"+33": "Registered"},
            },
            "second": {
                **second,
                "application_key": ovh.application_key,
                "application_secret": ovh.application_secret,
                "consumer_key": ovh.consumer_key,
            },
        },
        "account": {"pin_minutes": 7},
    }


@pytest.fixture
def alice(server):
    return server.person("alice.martin")


def ask(http, alice, **more):
    return http.post("/api/accounts/me/phone/request", json={"phone": PHONE, **more}, headers=alice.headers)


def confirm(http, alice, code):
    return http.post("/api/accounts/me/phone", json={"code": code}, headers=alice.headers)


def test_a_code_comes_from_its_countrys_sender_and_lives_as_long_as_here(server, http, alice, twilio, ovh):
    assert ask(http, alice).status_code == 200
    [text] = twilio.delivered[PHONE]
    assert (text["From"], text["ValidityPeriod"]) == ("Registered", str(7 * 60))
    assert not ovh.delivered
    assert confirm(http, alice, re.search(r"\b\d{4}\b", text["Body"])[0]).status_code == 200


def test_a_person_who_wants_no_texts_gets_none_through_the_next_provider(server, http, alice, twilio, ovh):
    twilio.opted_out.add(PHONE)
    assert ask(http, alice).status_code == 503
    assert not ovh.delivered
    assert PHONE not in LOG.stream.getvalue()


def test_a_country_that_the_first_provider_does_not_serve_is_served_by_the_next(server, http, alice, twilio, ovh):
    twilio.closed_countries.add("+33")
    assert ask(http, alice).status_code == 200
    [job] = ovh.delivered[PHONE]
    assert job["validityPeriod"] == 7


def test_a_code_is_read_out_in_a_call_that_the_person_can_type(server, http, alice, twilio, ovh):
    assert ask(http, alice, channel="voice").status_code == 200
    [call] = twilio.calls[PHONE]
    assert not twilio.delivered
    code = re.sub(r"\D", "", re.search(r"\d(?:, \d){3}", call.text)[0])
    assert confirm(http, alice, code).status_code == 200


def test_a_call_that_cannot_be_made_becomes_no_text_of_the_next_provider(server, http, alice, twilio, ovh):
    twilio.closed_countries.add("+33")
    assert ask(http, alice, channel="voice").status_code == 503
    assert not ovh.delivered


def test_reports_of_both_providers_are_counted(server, http, alice, twilio, ovh):
    def counted(label, status):
        return figures.reports.labels("sms", label, status)._value.get()

    before = [counted("first", "failed"), counted("second", "delivered")]
    ask(http, alice)
    root = str(http.base_url).rstrip("/")
    assert twilio.report(f"{root}/callbacks/first", f"SM{1:032x}", "undelivered", 30003).status_code == 200
    url = f"{root}/callbacks/second"
    assert ovh.report(f"{url}?secret={SECRET}", "27814656", 4, 1).status_code == 200
    assert ovh.report(f"{url}?secret=another", "27814656", 4, 1).status_code == 403
    assert [counted("first", "failed"), counted("second", "delivered")] == [count + 1 for count in before]
    assert SECRET not in LOG.stream.getvalue()
