"""Domains beside the SIP domain in which people may sign up."""

import pytest

from flexiapi.crypto.keys import opened

BODY = {
    "username": "bob.builder",
    "domain": "pub.example.org",
    "email": "bob@example.com",
    "password": "correct-horse",
    "algorithm": "SHA-256",
}
ADDRESS = "bob.builder@pub.example.org"


@pytest.fixture
def configure():
    return {"account": {"public_domains": ["Pub.example.org"]}}


@pytest.fixture
def made(server, http):
    body = BODY | {"account_creation_token": server.creation_token()}
    return http.post("/api/accounts/public", json=body).json()


def test_who_signs_up_there_can_activate_the_account(server, http, made):
    assert http.get(f"/api/accounts/{ADDRESS}/info").json()["activated"] is False
    key = opened(server.account(made["id"]).confirmation.key)
    answer = http.post(f"/api/accounts/{ADDRESS}/activate/email", json={"confirmation_key": key})
    assert (answer.status_code, answer.json()["activated"]) == (200, True)
    assert http.get(f"/api/accounts/{ADDRESS}/info").json()["activated"] is True


def test_who_signs_up_there_can_recover_the_account(server, http, admin, made):
    from_admin = server.run(server.services.codes.recovery.send_mail(server.account(made["id"]), server.actor))
    answer = http.get(f"/api/accounts/{ADDRESS}/recover/{opened(from_admin.confirmation.key)}")
    assert (answer.status_code, answer.json()["activated"]) == (200, True)


def test_other_domains_stay_out_of_sight(server, http):
    person = server.person("carol.jones", domain="private.example.org")
    assert http.get(f"/api/accounts/{person.sip}/info").status_code == 404
    token = server.creation_token()
    body = BODY | {"domain": "private.example.org", "account_creation_token": token}
    refused = http.post("/api/accounts/public", json=body)
    assert "domain" in refused.json()["errors"]
