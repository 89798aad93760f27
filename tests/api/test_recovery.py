import re
from dataclasses import replace
from datetime import timedelta

import pytest

from flexiapi.crypto.codes import grouped
from flexiapi.model import ActivationExpiration, Algorithm, Password

PHONE = "+33612345678"


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def recover_by_phone(server, phone=PHONE, token=None):
    body = {"phone": phone, "account_creation_token": token or server.creation_token()}
    return server.http.post("/api/accounts/recover-by-phone", json=body)


def pin_to(server, phone=PHONE):
    assert recover_by_phone(server, phone).json() == {}
    message = server.messages[-1]
    assert message["phone"] == phone
    return pin_of(message)


def test_a_phone_gives_its_account_back(server, http):
    alice = server.person("alice.martin", phone=PHONE, activated=False)
    pin = pin_to(server)
    assert server.account(alice.id).activated is False

    answer = http.get(f"/api/accounts/{PHONE}@sip.example.org/recover/{pin}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["username"] == "alice.martin"
    assert answer.json()["activated"] is True
    assert answer.json()["passwords"] == [{"algorithm": "SHA-256", "password": alice.account.passwords[0].ha1}]
    assert server.account(alice.id).confirmation is None
    assert http.get(f"/api/accounts/{alice.sip}/recover/{pin}").status_code == 404


def test_the_account_is_found_by_its_name_too(server, http):
    alice = server.person("alice.martin", phone=PHONE)
    assert http.get(f"/api/accounts/alice.martin%40sip.example.org/recover/{pin_to(server)}").status_code == 200
    assert http.get(f"/api/accounts/sip:{alice.sip}/recover/{pin_to(server)}").status_code == 200


def test_imported_clear_passwords_are_given_back_as_hashes(server, http):
    server.person("alice.martin", phone=PHONE, passwords=(Password(Algorithm.CLRTXT, "clear-secret"),))
    answer = http.get(f"/api/accounts/{PHONE}@sip.example.org/recover/{pin_to(server)}")
    assert [item["algorithm"] for item in answer.json()["passwords"]] == ["MD5", "SHA-256"]
    assert [len(item["password"]) for item in answer.json()["passwords"]] == [32, 64]


def test_the_token_is_used_up_also_when_nobody_has_the_number(server):
    token = server.creation_token()
    assert recover_by_phone(server, "+33600000000", token).status_code == 404
    again = recover_by_phone(server, "+33600000000", token)
    assert again.status_code == 422
    assert list(again.json()["errors"]) == ["account_creation_token"]
    assert server.messages == []


def test_an_expired_activation_is_refused_though_the_pin_is_right(server, http):
    now = server.clock.second()
    expiration = ActivationExpiration(1, now - timedelta(minutes=1), now, now)
    server.person("alice.martin", phone=PHONE, activated=False, activation_expiration=expiration)
    assert http.get(f"/api/accounts/{PHONE}@sip.example.org/recover/{pin_to(server)}").status_code == 403


def test_all_of_it_is_off_by_default(mongod_uri, tmp_path):
    from tests.kit.server import serving

    with serving({"app": {"dangerous_endpoints": False}}, tmp_path, mongod_uri) as server:
        server.person("alice.martin", phone=PHONE)
        for method, path in (
            ("GET", f"/api/accounts/{PHONE}/info-by-phone"),
            ("GET", "/api/accounts/no-phone/info-by-phone"),
            ("POST", "/api/accounts/recover-by-phone"),
            ("GET", f"/api/accounts/{PHONE}@sip.example.org/recover/1234"),
        ):
            assert server.http.request(method, path).status_code == 404


class TestRefusedSms:
    @pytest.fixture
    def configure(self):
        return {"delivery": {"fallback_backend": None}}

    def test_nothing_is_changed_and_the_token_stays_good(self, server):
        alice = server.person("alice.martin", phone=PHONE)
        token = server.creation_token()
        for _ in range(2):
            answer = recover_by_phone(server, token=token)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        assert server.account(alice.id).confirmation is None

    def test_a_refused_mail_is_noted_and_changes_nothing(self, server, http, admin):
        alice = server.person("alice.martin", email="alice@example.org", provisioning_token="before-before")
        answer = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
        assert answer.status_code == 503
        after = server.account(alice.id)
        assert after == replace(alice.account, undelivered=after.undelivered)
        assert (after.undelivered.kind, after.undelivered.reason) == (
            "account.recovery",
            "no backend serves this message",
        )


def test_an_administrator_sends_a_mail_with_key_and_links(server, http, admin):
    alice = server.person("alice.martin", email="alice@example.org")
    answer = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    key, token = answer.json()["confirmation_key"], answer.json()["provisioning_token"]
    assert len(key) == len(token) == 13
    (mail,) = server.messages
    assert mail["to"] == "alice@example.org"
    assert grouped(key) in mail["text"]
    page = f"{server.url}/setup/{token}?reset_password=1"
    assert page in mail["text"]
    assert page in mail["html"]
    assert f"/provisioning/qrcode/{token}?reset_password=1" in mail["html"]
    assert f"/provisioning/{token}" not in mail["text"] + mail["html"]
    before = alice.account.passwords[0].ha1
    assert http.get(page).status_code == 200
    assert server.account(alice.id).passwords[0].ha1 == before
    document = http.get(f"/provisioning/{token}?reset_password=1").text
    assert 'name="ha1"' in document
    assert before not in document


def test_an_account_without_address_cannot_be_mailed(server, http, admin, alice):
    answer = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["email"]
    assert server.account(alice.id) == alice.account
    assert http.post("/api/accounts/999/recover-by-email", headers=admin.headers).status_code == 404


def test_numbers_are_looked_up_as_alias_and_as_name(server, http):
    server.person("alice.martin", phone=PHONE)
    server.person("+33699999999", activated=False)
    server.person("+33688888888", domain="other.example.org")
    path = "/api/accounts/{}/info-by-phone"
    assert http.get(path.format(PHONE)).json() == {"activated": True, "realm": None, "phone": True}
    assert http.get(path.format("%2B33699999999")).json() == {"activated": False, "realm": None, "phone": False}
    assert http.get(path.format("+33688888888")).status_code == 404
    for wrong in ("alice.martin@sip.example.org", "33612345678", "+33 612345678"):
        answer = http.get(path.format(wrong))
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == ["phone"]


class TestDeactivated:
    def test_nobody_recovers_a_deactivated_account_by_phone(self, server, http, admin):
        alice = server.person("alice.martin", phone=PHONE, activated_at=server.clock.second())
        http.post(f"/api/accounts/{alice.id}/deactivate", headers=admin.headers)
        assert recover_by_phone(server).status_code == 404
        assert server.messages == []

    def test_a_pin_that_is_under_way_does_not_outlive_a_deactivation(self, server, http, admin, monkeypatch):
        alice = server.person("alice.martin", phone=PHONE, activated_at=server.clock.second())
        notices = server.services.codes.recovery._notices
        send = notices.text

        async def slowly(*arguments, **named):
            await server.services.accounts.administration.deactivate(alice.id, server.actor)
            await send(*arguments, **named)

        monkeypatch.setattr(notices, "text", slowly)
        assert recover_by_phone(server).status_code == 404
        assert server.account(alice.id).confirmation is None
