"""Countries of phone numbers: a setting, and the switches of administrators."""

import pytest

from flexiapi.model import calling_code_of
from tests.kit.server import Server, shared_by_module
from tests.kit.stranger import DOMAIN, Stranger, pin_of
from tests.kit.visitor import Visitor

OTHER, NARROW = "b.example.org", "narrow.example.org"
REFUSED = {"phone": ["phone must belong to an authorized country"]}
server = shared_by_module(
    {"panel": {"registration": "open"}, "spaces": {OTHER: {}, NARROW: {"phone_countries": ["FR", "us"]}}}
)


@pytest.fixture
def boss(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def switch(server, boss):
    """Switch a country, and at the end of the test all on again."""
    switched = {}

    def do(code, verb="deactivate", host=server, **headers):
        switched[code] = None
        return host.http.post(f"/api/phone_countries/{code}/{verb}", headers={**boss.headers, **headers})

    yield do
    for code in switched:
        server.http.post(f"/api/phone_countries/{code}/activate", headers=boss.headers)


def countries(server, **headers):
    shown = server.http.get("/api/phone_countries", headers=headers).json()
    return {one["code"]: (one["country_code"], one["activated"]) for one in shown}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+33612345678", "33"),
        ("+12025550123", "1"),
        ("+35312345", "353"),
        ("+1234", "1"),
        ("+999123", None),
        ("+", None),
    ],
)
def test_a_number_has_the_calling_code_that_it_begins_with(number, code):
    assert calling_code_of(number) == code


def test_all_countries_are_public_and_on_unless_the_settings_name_some(server):
    shown = server.http.get("/api/phone_countries").json()
    assert len(shown) > 200
    assert shown == sorted(shown, key=lambda one: one["code"])
    assert all(one.keys() == {"code", "country_code", "activated"} for one in shown)
    assert countries(server)["FR"] == ("33", True)
    assert {on for _, on in countries(server).values()} == {True}
    narrow = countries(server, Host=NARROW)
    assert {code for code, (_, on) in narrow.items() if on} == {
        code for code, (calling, _) in narrow.items() if calling in ("33", "1")
    }


def test_all_countries_of_a_calling_code_are_switched_together(server, switch):
    told = switch("US").json()
    assert {one["country_code"] for one in told} == {"1"}
    assert {one["activated"] for one in told} == {False}
    assert {"US", "CA"} <= {one["code"] for one in told}
    assert countries(server)["CA"] == ("1", False)
    assert countries(server)["FR"] == ("33", True)
    assert {one["activated"] for one in switch("CA", "activate").json()} == {True}
    assert countries(server)["US"] == ("1", True)


def test_only_administrators_switch_and_only_countries_that_there_are(server, switch):
    person = server.person()
    path = "/api/phone_countries/FR/deactivate"
    assert server.http.post(path, headers=person.headers).status_code == 403
    assert server.http.post(path, headers={"x-api-key": "k" * 40}).status_code == 401
    assert switch("ZZ").status_code == 404
    for code in ("fr", "FRA", "%00", "33"):
        assert server.http.post(f"/api/phone_countries/{code}/deactivate").status_code == 404
    assert countries(server)["FR"] == ("33", True)


def test_each_space_has_its_own_switches_within_its_settings(server, switch):
    theirs = server.person(domain=NARROW, admin_since=server.clock.second())
    headers = {**theirs.headers, "Host": NARROW}
    refused = server.http.post("/api/phone_countries/DE/activate", headers=headers)
    assert (refused.status_code, "settings" in refused.json()["message"]) == (403, True)
    assert switch("FR").status_code == 200
    assert countries(server, Host=NARROW)["FR"] == countries(server, Host=OTHER)["FR"] == ("33", True)
    assert server.http.post("/api/phone_countries/US/deactivate", headers=headers).status_code == 200
    assert countries(server, Host=NARROW)["CA"] == ("1", False)
    assert countries(server)["CA"] == ("1", True)
    assert server.http.post("/api/phone_countries/US/activate", headers=headers).status_code == 200


def test_a_switch_holds_on_other_hosts_and_after_a_restart(server, switch):
    switch("FR")
    other = Server(server.settings, server.uri).start()
    assert countries(other)["FR"] == ("33", False)
    switch("FR", "activate", other)
    assert countries(server)["FR"] == ("33", True)
    other.stop()


def test_each_switch_is_an_event_that_names_its_administrator(server, boss, switch):
    switch("FR")

    async def found():
        return await server.store._database["events"].find_one({"actor.account": boss.id, "collection": "meta"})

    event = server.run(found())
    assert (event["name"], event["details"]) == ("phone_country.deactivated", {"calling_code": "33"})


def admin_ways(server, boss):
    """Requests by which an administrator gives an account a number, by name."""
    body = {"password": "correct-horse-battery", "algorithm": "SHA-256"}
    person = server.person()
    path = f"/api/accounts/{person.id}"
    whole = {**body, "username": person.account.username}
    return {
        "creation": lambda phone: server.http.post(
            "/api/accounts", json={**body, "username": "with.number", "phone": phone}, headers=boss.headers
        ),
        "replacement": lambda phone: server.http.put(path, json={**whole, "phone": phone}, headers=boss.headers),
        "amendment": lambda phone: server.http.patch(path, json={"phone": phone}, headers=boss.headers),
    }


@pytest.mark.parametrize(("way", "allowed"), [("creation", "1"), ("replacement", "2"), ("amendment", "3")])
def test_administrators_give_no_new_number_of_a_deactivated_country(server, boss, switch, way, allowed):
    ask = admin_ways(server, boss)[way]
    switch("FR")
    refused = ask("+33611223344")
    assert (refused.status_code, refused.json()["errors"]) == (422, REFUSED)
    assert ask(f"+491511234567{allowed}").status_code == 200
    switch("FR", "activate")
    if way != "creation":
        assert ask(f"+3361122334{allowed}").status_code == 200


def test_a_number_that_an_account_has_stays_whatever_is_changed(server, boss, switch):
    person = server.person(phone="+33611223399")
    switch("FR")
    body = {"password": person.password, "algorithm": "SHA-256", "username": person.account.username}
    kept = server.http.put(f"/api/accounts/{person.id}", json={**body, "phone": "+33611223399"}, headers=boss.headers)
    assert (kept.status_code, kept.json()["phone"]) == (200, "+33611223399")
    other = server.http.patch(f"/api/accounts/{person.id}", json={"display_name": "Anna"}, headers=boss.headers)
    assert other.json()["phone"] == "+33611223399"


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": "+33611223300"},
        {"username": "+33611223301", "email": "number@example.org"},
        {"username": "new.user", "phone": "+33611223302"},
    ],
)
def test_people_sign_up_with_no_number_of_a_deactivated_country(server, switch, fields):
    switch("FR")
    stranger = Stranger(server)
    refused = stranger.sign_up(**{"username": None, **fields})
    field = "phone" if "phone" in fields else "username"
    assert refused.status_code == 422
    assert refused.json()["errors"] == {field: [f"{field} must belong to an authorized country"]}
    switch("FR", "activate")
    assert stranger.sign_up(**{"username": None, **fields}).status_code == 200


def test_the_page_of_the_sign_up_refuses_it_too(server, switch):
    switch("FR")
    browser = Visitor(server.url)
    browser.open("/register/phone")
    given = {"username": "page.user", "phone": "+33 6 11 22 33 03"}
    password = {"password": "correct-horse-battery", "password_confirmation": "correct-horse-battery"}
    page = browser.send("/accounts", **given, **password)
    browser.close()
    assert (page.status_code, "must belong to an authorized country" in page.text) == (422, True)


def test_no_one_changes_to_a_number_of_a_deactivated_country(server, switch):
    person = server.person()
    ask = lambda: server.http.post(  # noqa: E731
        "/api/accounts/me/phone/request", json={"phone": "+33611223305"}, headers=person.headers
    )
    switch("FR")
    refused = ask()
    assert (refused.status_code, refused.json()["errors"]) == (422, REFUSED)
    switch("FR", "activate")
    assert ask().status_code == 200


def test_recovery_and_sign_in_by_a_number_go_on(server, switch):
    person = server.person(phone="+33611223306")
    switch("FR")
    body = {"phone": "+33611223306", "account_creation_token": server.creation_token()}
    assert server.http.post("/api/accounts/recover-by-phone", json=body).status_code == 200
    pin = pin_of(server.messages[-1])
    recovered = server.http.get(f"/api/accounts/+33611223306@{DOMAIN}/recover/{pin}")
    assert (recovered.status_code, recovered.json()["id"]) == (200, person.id)


def test_the_rule_is_that_of_the_space_that_the_account_is_made_in(server):
    """Only the setting of its own space counts."""
    body = {"password": "correct-horse-battery", "algorithm": "SHA-256", "username": "narrow.one"}
    theirs = server.person(domain=NARROW, admin_since=server.clock.second())
    headers = {**theirs.headers, "Host": NARROW}
    answers = [
        server.http.post("/api/accounts", json={**body, "phone": phone}, headers=headers)
        for phone in ("+4915112345670", "+999123", "+33611223307")
    ]
    assert [one.status_code for one in answers] == [422, 422, 200]
    assert answers[0].json()["errors"] == REFUSED
