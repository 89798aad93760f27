"""Conformance: info and me, activation, recovery, change of address, number and password.

RULE in a docstring says where this server differs from the original on purpose.
"""

import re
from datetime import timedelta

import pytest

from flexiapi.model import ActivationExpiration, Confirmation

pytestmark = pytest.mark.conformance

PHONE = "+33612345678"
PASSWORD = "correct-horse-battery"
KEY = "WatDmy0pTd4cO"
NO_JSON = {"Accept": "*/*"}


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def fields_of(answer):
    assert answer.status_code == 422, answer.text
    return set(answer.json()["errors"])


def expired(server):
    now = server.clock.second()
    return ActivationExpiration(1, now - timedelta(minutes=1), now, now)


def pending(server, **fields):
    """An account that waits for its activation by `KEY`."""
    return server.person("alice.martin", activated=False, confirmation=Confirmation(key=KEY), **fields)


def phoned(server):
    """An account that waits for its activation by a PIN, and that."""
    body = {"password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": server.creation_token()}
    account_id = server.http.post("/api/accounts/public", json={**body, "phone": PHONE}).json()["id"]
    return account_id, pin_of(server.messages[-1])


class TestInfo:
    @pytest.fixture
    def configure(self):
        return {"account": {"realm": "realm.example.org"}}

    @pytest.mark.parametrize("activated", [True, False])
    def test_everybody_may_know_activation_and_realm(self, server, http, activated):
        person = server.person("alice.martin", activated=activated)
        answer = http.get(f"/api/accounts/{person.sip}/info", headers=NO_JSON)
        assert answer.json() == {"activated": activated, "realm": "realm.example.org"}
        me = http.get("/api/accounts/me", headers=person.headers).json()
        assert (me["username"], me["activated"], me["realm"]) == ("alice.martin", activated, "realm.example.org")

    def test_an_account_that_is_gone_is_not_known(self, http, alice):
        assert http.delete("/api/accounts/me", headers=alice.headers).json() == {}
        assert http.get(f"/api/accounts/{alice.sip}/info").status_code == 404


class TestActivation:
    def test_by_email(self, server, http):
        alice = pending(server, activation_expiration=expired(server))
        path = f"/api/accounts/{alice.sip}/activate/email"
        unknown = "/api/accounts/nobody@sip.example.org/activate/email"
        assert http.post(unknown, json={"confirmation_key": KEY}).status_code == 404
        assert fields_of(http.post(path, json={"confirmation_key": "short"})) == {"confirmation_key"}
        assert http.post(path, json={"confirmation_key": KEY.swapcase()}).status_code == 404
        assert http.post(path, json={"confirmation_key": KEY}).status_code == 403
        server.set(alice.id, activation_expiration=None)
        answer = http.post(path, json={"code": KEY})
        assert (answer.status_code, answer.json()["activated"]) == (200, True)
        assert http.get(f"/api/accounts/{alice.sip}/info").json()["activated"] is True
        assert http.post(path, json={"confirmation_key": KEY}).status_code == 404

    def test_by_phone(self, server, http):
        account_id, pin = phoned(server)
        path = f"/api/accounts/{PHONE}@sip.example.org/activate/phone"
        server.set(account_id, activation_expiration=expired(server))
        assert http.post(path, json={"confirmation_key": pin}).status_code == 403
        server.set(account_id, activation_expiration=None)
        assert http.post(path, json={"code": pin, "confirmation_key": "0"}).status_code == 200
        assert server.account(account_id).activated is True

    def test_a_pin_has_three_tries_and_a_key_any_number(self, server, http):
        """RULE (D-58): the original does not limit the tries."""
        _, pin = phoned(server)
        path = f"/api/accounts/{PHONE}@sip.example.org/activate/phone"
        wrong = {"code": f"{(int(pin) + 1) % 10_000:04d}"}
        assert [http.post(path, json=wrong).status_code for _ in range(4)] == [404, 404, 404, 429]
        assert http.post(path, json={"code": pin}).status_code == 429
        alice = pending(server)
        path = f"/api/accounts/{alice.sip}/activate/email"
        assert {http.post(path, json={"code": "x" * 13}).status_code for _ in range(25)} == {404}
        assert http.post(path, json={"code": KEY}).status_code == 200


class TestRecovery:
    def test_a_key_gives_the_hashes_once(self, server, http):
        alice = pending(server)
        path = f"/api/accounts/{alice.sip}/recover/{KEY}"
        answer = http.get(path, headers=NO_JSON)
        assert answer.status_code == 200
        assert answer.json()["passwords"][0]["password"] == alice.account.passwords[0].ha1
        assert answer.json()["passwords"][0]["algorithm"] == "SHA-256"
        assert http.get(path).status_code == 404
        assert server.account(alice.id).activated is True
        assert server.account(alice.id).confirmation is None

    def test_the_alias_is_as_good_as_the_name(self, server, http):
        pending(server, phone="+1234")
        answer = http.get(f"/api/accounts/+1234@sip.example.org/recover/{KEY}")
        assert answer.json()["passwords"]

    def test_a_pin_needs_a_token(self, server, http):
        """RULE (D-06): the token is used up then."""
        alice = server.person("alice.martin", phone=PHONE, activated=False)
        path = "/api/accounts/recover-by-phone"
        assert fields_of(http.post(path, json={"phone": PHONE})) == {"account_creation_token"}
        wrong = {"phone": PHONE, "account_creation_token": "x" * 13}
        assert fields_of(http.post(path, json=wrong)) == {"account_creation_token"}
        body = {"phone": PHONE, "account_creation_token": server.creation_token()}
        assert http.post(path, json=body).json() == {}
        answer = http.get(f"/api/accounts/{alice.sip}/recover/{pin_of(server.messages[-1])}")
        assert answer.json()["activated"] is True
        assert fields_of(http.post(path, json=body)) == {"account_creation_token"}

    def test_numbers_are_told_apart(self, server, http):
        server.person("alice.martin", phone=PHONE)
        server.person("+33699999999")
        path = "/api/accounts/{}/info-by-phone"
        assert http.get(path.format(PHONE)).json()["phone"] is True
        assert http.get(path.format("+33600000000")).status_code == 404
        assert fields_of(http.get(path.format("alice.martin@sip.example.org"))) == {"phone"}
        assert http.get(path.format("+33699999999")).json()["phone"] is False

    def test_a_mail_has_fresh_secrets(self, server, http, admin):
        """RULE (D-24): a fresh confirmation key as the document says, not a recovery code."""
        alice = pending(server, email="alice@example.org", provisioning_token="before-before")
        answer = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers).json()
        assert answer["confirmation_key"] not in (None, KEY)
        assert answer["provisioning_token"] not in (None, "before-before")
        assert "recovery_code" not in answer


class TestEmailChange:
    path = "/api/accounts/me/email/request"

    def test_only_a_new_address_is_pending(self, server, http):
        alice = server.person("alice.martin", email="alice@example.org")
        for email in ("bad", "alice@example.org"):
            assert fields_of(http.post(self.path, json={"email": email}, headers=alice.headers)) == {"email"}
        assert http.post(self.path, json={"email": "new@example.org"}, headers=alice.headers).status_code == 200
        me = http.get("/api/accounts/me", headers=alice.headers).json()
        assert me["email_change_code"]["email"] == "new@example.org"


class TestPassword:
    path = "/api/accounts/me/password"

    def change(self, server, person, **fields):
        return server.http.post(self.path, json=fields, headers=person.headers)

    def test_the_first_password_needs_no_old_one(self, server, http, alice):
        """RULE (D-08): the account is activated by the first password alone, and the body is an object."""
        server.set(alice.id, passwords=(), activated=False)
        assert fields_of(self.change(server, alice, algorithm="123", password=PASSWORD)) == {"algorithm"}
        assert self.change(server, alice, algorithm="MD5", password=PASSWORD).json() == {}
        me = http.get("/api/accounts/me", headers=alice.headers).json()
        assert me["passwords"] == [{"algorithm": "MD5"}]
        assert me["activated"] is True

    def test_another_password_needs_the_old_one(self, server, http, alice):
        new = {"algorithm": "MD5", "password": "new-horse-battery"}
        server.set(alice.id, activated=False)
        assert fields_of(self.change(server, alice, **new)) == {"old_password"}
        assert fields_of(self.change(server, alice, **new, old_password="wrong-donkey")) == {"old_password"}
        assert server.account(alice.id).activated is False
        assert self.change(server, alice, **new, old_password=PASSWORD).json() == {}
        me = http.get("/api/accounts/me", headers=alice.headers).json()
        assert me["passwords"] == [{"algorithm": "MD5"}]


class TestPhoneChange:
    def test_a_number_is_set_by_its_code(self, server, http, alice):
        request, confirm = "/api/accounts/me/phone/request", "/api/accounts/me/phone"
        assert fields_of(http.post(request, json={"phone": "blabla"}, headers=alice.headers)) == {"phone"}
        assert http.get("/api/accounts/me", headers=alice.headers).json()["phone"] is None
        assert http.post(request, json={"phone": PHONE}, headers=alice.headers).json() == {}
        pin = pin_of(server.messages[-1])
        assert fields_of(http.post(confirm, json={"code": "wrong"}, headers=alice.headers)) == {"code"}
        assert http.post(confirm, json={"code": pin}, headers=alice.headers).json()["phone"] == PHONE
        assert http.get("/api/accounts/me", headers=alice.headers).json()["phone"] == PHONE

    def test_three_wrong_codes_end_the_change(self, server, http, alice):
        http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=alice.headers)
        code = f"{(int(pin_of(server.messages[-1])) + 1) % 10_000:04d}"
        answers = [http.post("/api/accounts/me/phone", json={"code": code}, headers=alice.headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [403, 403, 403, 404]
