import re
from dataclasses import replace

import pytest

PHONE = "+33612345678"
NEW = "new@example.org"


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def wrong(pin):
    return f"{(int(pin) + 1) % 10_000:04d}"


def ask(server, person, channel, value):
    return server.http.post(f"/api/accounts/me/{channel}/request", json={channel: value}, headers=person.headers)


def confirm(server, person, channel, code):
    return server.http.post(f"/api/accounts/me/{channel}", json={"code": code}, headers=person.headers)


def pin_to(server, person, channel, value):
    assert ask(server, person, channel, value).json() == {}
    return pin_of(server.messages[-1])


def test_an_address_is_changed_by_the_pin_that_was_mailed_to_it(server, http):
    alice = server.person("alice.martin", email="old@example.org", activated=False, provisioning_token="in.an.old.mail")
    pin = pin_to(server, alice, "email", NEW)
    assert server.messages[-1]["to"] == NEW
    me = http.get("/api/accounts/me", headers=alice.headers).json()
    assert me["email"] == "old@example.org"
    assert set(me["email_change_code"]) == {"email", "created_at", "updated_at"}
    assert me["email_change_code"]["email"] == NEW

    answer = confirm(server, alice, "email", pin)
    assert answer.status_code == 200
    assert answer.json()["email"] == NEW
    assert answer.json()["activated"] is True
    assert answer.json()["email_change_code"] is None
    assert server.messages[-1]["to"] == "old@example.org"
    assert server.account(alice.id).provisioning_token is None
    assert confirm(server, alice, "email", pin).status_code == 404
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200


def test_a_number_is_changed_by_the_pin_that_was_sent_to_it(server, http):
    alice = server.person("alice.martin", email="old@example.org", activated=False)
    assert confirm(server, alice, "phone", "1234").status_code == 404
    pin = pin_to(server, alice, "phone", PHONE)
    assert server.messages[-1]["phone"] == PHONE
    answer = http.post(
        "/api/accounts/me/phone", json={"code": int(pin)} if pin[0] != "0" else {"code": pin}, **key(alice)
    )
    assert answer.status_code == 200
    assert (answer.json()["phone"], answer.json()["activated"]) == (PHONE, True)
    assert (server.messages[-1]["transport"], server.messages[-1]["to"]) == ("mail", "old@example.org")
    assert http.get(f"/api/accounts/{PHONE}/info-by-phone").json()["phone"] is True
    assert ask(server, alice, "phone", PHONE).status_code == 422


def key(person):
    return {"headers": person.headers}


def test_three_wrong_phone_codes_end_the_change(server, http):
    alice = server.person("alice.martin")
    pin = pin_to(server, alice, "phone", PHONE)
    assert confirm(server, alice, "phone", "wrong").status_code == 422
    assert [confirm(server, alice, "phone", wrong(pin)).status_code for _ in range(3)] == [403, 403, 403]
    assert confirm(server, alice, "phone", pin).status_code == 404
    assert server.account(alice.id).phone_change is None


def test_three_wrong_email_codes_end_the_change(server, http):
    alice = server.person("alice.martin")
    pin = pin_to(server, alice, "email", NEW)
    assert [confirm(server, alice, "email", wrong(pin)).status_code for _ in range(3)] == [403, 403, 403]
    assert confirm(server, alice, "email", pin).status_code == 404
    assert server.account(alice.id).email_change is None


@pytest.mark.parametrize(("channel", "value"), [("email", NEW), ("phone", PHONE)])
def test_a_pin_ends_by_time(server, channel, value):
    alice = server.person("alice.martin")
    pin = pin_to(server, alice, channel, value)
    server.later(minutes=11)
    assert confirm(server, alice, channel, pin).status_code == 404
    assert server.account(alice.id).email_change is server.account(alice.id).phone_change is None


def test_another_request_replaces_the_pending_change(server):
    alice = server.person("alice.martin")
    first = pin_to(server, alice, "email", "first@example.org")
    second = pin_to(server, alice, "email", "second@example.org")
    if first != second:
        assert confirm(server, alice, "email", first).status_code == 403
    assert confirm(server, alice, "email", second).json()["email"] == "second@example.org"


def test_what_is_wrong_with_an_address_or_number_is_told(server):
    alice = server.person("alice.martin", email="alice@example.org", phone="+33611111111")
    server.person("bob.martin", phone="+33622222222")
    server.person("+33633333333")
    for value in ("no address", "alice@example.org", "ALICE@example.org", None):
        answer = ask(server, alice, "email", value)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["email"])
    for value in ("blabla", "+33611111111", "+33622222222", "+33633333333", None):
        answer = ask(server, alice, "phone", value)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["phone"])
    assert server.messages == []


def test_a_number_that_was_taken_meanwhile_is_refused_and_the_change_is_over(server):
    alice = server.person("alice.martin")
    pin = pin_to(server, alice, "phone", PHONE)
    server.person("bob.martin", phone=PHONE)
    answer = confirm(server, alice, "phone", pin)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["phone"])
    assert server.account(alice.id).phone_change is None
    assert server.account(alice.id).phone is None


class TestUniqueAddresses:
    @pytest.fixture
    def configure(self):
        return {"account": {"email_unique": True}}

    def test_an_address_of_somebody_else_is_refused(self, server):
        alice, bob = server.person("alice.martin"), server.person("bob.martin")
        pin = pin_to(server, alice, "email", NEW)
        server.set(bob.id, email=NEW)
        assert list(ask(server, alice, "email", "New@example.org").json()["errors"]) == ["email"]
        answer = confirm(server, alice, "email", pin)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["email"])
        assert server.account(alice.id).email_change is None


class TestRefusedMessages:
    @pytest.fixture
    def configure(self):
        return {"delivery": {"fallback_backend": None}}

    def test_it_is_noted_and_nothing_is_changed(self, server, alice):
        assert ask(server, alice, "email", NEW).status_code == 503
        assert ask(server, alice, "phone", PHONE).status_code == 503
        after = server.account(alice.id)
        assert after == replace(alice.account, undelivered=after.undelivered)
        assert after.undelivered.kind == "phone.change"
