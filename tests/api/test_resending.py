"""Activation codes that are sent again."""

import re
from datetime import timedelta

import pytest

from flexiapi.crypto.codes import KEY_ALPHABET
from flexiapi.crypto.keys import opened
from flexiapi.model import ActivationExpiration
from tests.kit.server import serving, shared_by_module

KEY = f"[{KEY_ALPHABET}]{{4}}-[{KEY_ALPHABET}]{{4}}-[{KEY_ALPHABET}]{{5}}"
PIN = r"\b[0-9]{4}\b"


server = shared_by_module({"limits": {"codes_per_account": 3}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


class SignedUp:
    """An account that signed up, with its code and what signs it in."""

    made = 0

    def __init__(self, server, **fields):
        SignedUp.made += 1
        body = {"username": f"signed.up.{SignedUp.made}", "password": "correct-horse", "algorithm": "SHA-256"}
        body |= {"account_creation_token": server.creation_token(), **fields}
        made = server.http.post("/api/accounts/public", json={name: value for name, value in body.items() if value})
        assert made.status_code == 200, made.text
        self.id, self.sip = made.json()["id"], f"{made.json()['username']}@{made.json()['domain']}"
        self.headers = {"x-api-key": server.key_for(self.id)}

    def activate(self, server, way, code):
        path = f"/api/accounts/{self.sip}/activate/{way}"
        return server.http.post(path, json={"confirmation_key": code}).status_code


def code_of(server, form):
    return re.search(form, server.messages[-1]["text"])[0]


def me(server, person, status=200):
    answer = server.http.post("/api/accounts/me/resend", headers=person.headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_mailed_key_comes_again_by_mail_and_the_one_before_ends(server):
    person = SignedUp(server, email="again@example.org")
    first = code_of(server, KEY)
    assert me(server, person) == {}
    second = code_of(server, KEY)
    assert server.messages[-1]["to"] == "again@example.org"
    assert [person.activate(server, "email", key) for key in (first, second)] == [404, 200]
    me(server, person, 404)


def test_a_pin_comes_again_by_sms_also_once_it_has_expired(server):
    person = SignedUp(server, username=None, phone="+33612345001")
    server.later(minutes=11)
    person.headers = {"x-api-key": server.key_for(person.id)}
    me(server, person)
    assert server.messages[-1]["phone"] == "+33612345001"
    assert person.activate(server, "phone", code_of(server, PIN)) == 200


def test_an_administrator_sends_it_for_others(server, admin):
    person = SignedUp(server, email="others@example.org")
    path = f"/api/accounts/{person.id}/resend"
    assert server.http.post(path, headers=admin.headers).json() == {}
    shown = server.http.get(f"/api/accounts/{person.id}", headers=admin.headers).json()
    assert shown["confirmation_key"] == code_of(server, KEY).replace("-", "")
    assert server.http.post(path, headers=person.headers).status_code == 403
    assert server.http.post("/api/accounts/999999/resend", headers=admin.headers).status_code == 404
    assert server.http.post("/api/accounts/me/resend").status_code == 422


def test_nothing_is_sent_to_who_is_active_or_cannot_be_reached(server, admin):
    sent = len(server.messages)
    me(server, server.person(), 404)
    me(server, server.person(activated=False), 404)
    body = {"username": f"no.address.{admin.id}", "password": "correct-horse", "algorithm": "SHA-256"}
    made = server.http.post("/api/accounts", json=body, headers=admin.headers).json()
    refused = server.http.post(f"/api/accounts/{made['id']}/resend", headers=admin.headers)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["email"])
    assert len(server.messages) == sent


def test_an_account_has_few_codes_an_hour(server):
    person = SignedUp(server, email="few@example.org")
    for _ in range(3):
        me(server, person)
    me(server, person, 429)


def test_the_time_that_an_administrator_set_ends_the_new_code_too(server):
    now = server.clock.second()
    expiration = ActivationExpiration(1, now + timedelta(hours=1), now, now)
    person = server.person(activated=False, email="set@example.org", activation_expiration=expiration)
    me(server, person)
    assert server.account(person.id).confirmation.expires_at == expiration.expires
    server.set(person.id, activation_expiration=ActivationExpiration(1, now - timedelta(hours=1), now, now))
    me(server, person, 403)


def test_it_lets_in_who_was_deactivated_before_the_first_activation(server, admin):
    person = SignedUp(server, email="barred@example.org")
    first = opened(server.account(person.id).confirmation.key)
    server.http.post(f"/api/accounts/{person.id}/deactivate", headers=admin.headers)
    me(server, person, 401)
    assert person.activate(server, "email", first) == 404
    server.http.post(f"/api/accounts/{person.id}/resend", headers=admin.headers)
    assert person.activate(server, "email", code_of(server, KEY)) == 200


class TestRefusedMail:
    @pytest.fixture
    def server(self, tmp_path, mongod_uri):
        with serving({"delivery": {"fallback_backend": None}}, tmp_path, mongod_uri) as running:
            yield running

    def test_the_code_before_stays_good(self, server):
        person = server.person(activated=False, email="refused@example.org")
        me(server, person, 503)
        assert server.account(person.id).confirmation is None
