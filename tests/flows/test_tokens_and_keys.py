"""Conformance: API key, auth_token, account creation tokens, with-account-creation-token, accounts/public.

RULE in a docstring says where this server differs from the original on purpose.
"""

import re

import httpx
import pytest

from flexiapi.crypto.codes import grouped
from flexiapi.crypto.keys import opened

pytestmark = pytest.mark.conformance

PHONE = "+33612345678"
PASSWORD = "correct-horse-battery"
NO_JSON = {"Accept": "*/*"}
MINIMAL = {"password": PASSWORD, "algorithm": "SHA-256"}


def sign_up(server, username="new.account", token=None, **fields):
    body = {"username": username, **MINIMAL, "account_creation_token": token or server.creation_token(), **fields}
    return server.http.post("/api/accounts/with-account-creation-token", json=body)


def public(server, **fields):
    body = {**MINIMAL, "account_creation_token": server.creation_token(), **fields}
    return server.http.post("/api/accounts/public", json=body)


def fields_of(answer):
    assert answer.status_code == 422, answer.text
    return set(answer.json()["errors"])


class TestApiKey:
    def test_digest_gets_a_key_in_body_and_cookie_and_that_key_gets_the_next(self, server, http, alice):
        digest = alice.digest
        digest["headers"] = {**digest["headers"], **NO_JSON}
        first = http.get("/api/accounts/me/api_key", **digest)
        assert first.status_code == 200
        assert len(first.text) == 40
        assert httpx.Cookies(first.cookies)["x-api-key"] == first.text
        http.cookies.clear()
        second = http.get("/api/accounts/me/api_key", headers={"x-api-key": first.text})
        assert second.status_code == 200
        assert second.text != first.text
        assert second.cookies["x-api-key"] == second.text
        http.cookies.clear()
        assert http.get("/api/accounts/me", headers={"x-api-key": first.text}).status_code == 401
        assert http.get("/api/accounts/me", headers={"x-api-key": second.text}).status_code == 200


class TestAuthToken:
    def test_a_token_goes_from_one_device_to_another(self, server, http, alice):
        made = http.post("/api/accounts/auth_token")
        assert re.fullmatch(r"[-\d]{10}T[:\d]{8}\.000000Z", made.json()["created_at"])
        assert made.status_code == 201
        token = made.json()["token"]
        assert len(token) == 32
        redeem, attach = f"/api/accounts/me/api_key/{token}", f"/api/accounts/auth_token/{token}/attach"
        assert http.get(redeem).status_code == 404
        assert http.get(attach, headers=alice.headers).json() == {}
        assert http.get(attach, headers=alice.headers).status_code == 404
        assert http.get(f"/api/accounts/auth_token/{'x' * 32}/attach", headers=alice.headers).status_code == 404
        given = http.get(redeem)
        assert given.status_code == 200
        http.cookies.clear()
        assert http.get(redeem).status_code == 404
        key = {"x-api-key": given.json()["api_key"], "From": "sip:nobody@sip.example.org"}
        assert http.get("/api/accounts/me", headers=key).json()["id"] == alice.id


class TestCreationTokens:
    def test_a_push_needs_its_parameters(self, http):
        answer = http.post("/api/account_creation_tokens/send-by-push")
        assert fields_of(answer) == {"pn_provider", "pn_param", "pn_prid"}

    def test_an_administrator_makes_tokens(self, server, http, admin, alice):
        made = http.post("/api/account_creation_tokens", headers=admin.headers)
        assert made.status_code == 201
        assert set(made.json()) == {"token", "expire_at"}
        assert sign_up(server, token=made.json()["token"]).status_code == 200
        assert http.post("/api/account_creation_tokens", headers=alice.headers).status_code == 403

    def test_a_request_token_leads_to_the_check_page_and_then_to_one_token(self, server, http):
        made = http.post("/api/account_creation_request_tokens")
        assert made.status_code == 201
        token = made.json()["token"]
        assert made.json()["validation_url"] == f"{server.url}/creation_token/check/{token}"
        path = "/api/account_creation_tokens/using-account-creation-request-token"
        body = {"account_creation_request_token": token}
        assert http.post(path, json=body).status_code == 404
        server.run(server.services.codes.creation_tokens.validate_request(token, server.actor))
        given = http.post(path, json=body)
        assert given.status_code == 201
        assert sign_up(server, token=given.json()["token"]).status_code == 200
        assert http.post(path, json=body).status_code == 404

    def test_an_unknown_request_token_is_not_found_and_a_missing_one_is_told(self, http):
        """RULE (D-22): 404 for an unknown token."""
        path = "/api/account_creation_tokens/using-account-creation-request-token"
        assert http.post(path, json={"account_creation_request_token": "x" * 13}).status_code == 404
        assert fields_of(http.post(path)) == {"account_creation_request_token"}


class TestWithoutPush:
    @pytest.fixture
    def configure(self):
        return {"delivery": {"fallback_backend": None}}

    def test_a_push_without_a_pusher_is_503(self, http):
        push = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "dA1b:APA91b"}
        assert http.post("/api/account_creation_tokens/send-by-push", json=push).status_code == 503


class TestWithAccountCreationToken:
    def test_a_token_is_good_once(self, server):
        token = server.creation_token()
        assert fields_of(sign_up(server, token="x" * 13)) == {"account_creation_token"}
        answer = sign_up(server, token=token)
        assert answer.status_code == 200
        assert answer.json()["activated"] is False
        assert "confirmation_key" not in answer.json()
        assert "provisioning_token" not in answer.json()
        assert fields_of(sign_up(server, "another.account", token)) == {"account_creation_token"}

    def test_no_code_is_pending_that_could_be_guessed(self, server):
        """RULE (D-10): the original sets a PIN and sends it to no one."""
        assert server.account(sign_up(server).json()["id"]).confirmation is None

    def test_only_the_documents_parameters_count(self, server):
        """RULE: email and phone are neither validated nor stored, the domain is always the service's."""
        answer = sign_up(server, email="no address", phone="no phone", domain="other.example.org").json()
        assert (answer["email"], answer["phone"], answer["domain"]) == (None, None, "sip.example.org")


class TestBlacklist:
    @pytest.fixture
    def configure(self):
        return {"account": {"blacklisted_usernames": "foobar,blacklisted,username-.*"}}

    @pytest.mark.parametrize("username", ["blacklisted", "username-gnap", "xfoobarx"])
    def test_listed_names_are_refused(self, server, username):
        answer = sign_up(server, username)
        assert fields_of(answer) == {"username"}
        assert "black" not in answer.json()["message"]

    def test_others_are_not(self, server):
        assert sign_up(server, "valid-username").status_code == 200


class TestPublic:
    def test_an_address_or_a_number_is_needed(self, server):
        assert fields_of(public(server, username="new.account")) == {"email", "phone"}
        assert fields_of(public(server, email="new@example.org")) == {"username", "phone"}
        assert fields_of(public(server)) == {"username", "email", "phone"}
        assert fields_of(public(server, username="new.account", email="x")) == {"email"}

    def test_a_token_is_needed(self, server, http):
        body = {**MINIMAL, "username": "new.account", "email": "new@example.org"}
        assert fields_of(http.post("/api/accounts/public", json=body)) == {"account_creation_token"}

    def test_an_account_is_made_and_its_name_is_taken_then(self, server):
        server.http.headers["User-Agent"] = "LinphoneAndroid/5.2"
        answer = public(server, username="new.account", email="new@example.org")
        assert answer.status_code == 200
        assert answer.json()["activated"] is False
        stored = server.account(answer.json()["id"])
        assert (stored.user_agent, stored.domain) == ("LinphoneAndroid/5.2", "sip.example.org")
        (mail,) = server.messages
        assert mail["to"] == "new@example.org"
        assert grouped(opened(stored.confirmation.key)) in mail["text"]
        assert fields_of(public(server, username="new.account", email="other@example.org")) == {"username"}

    def test_the_token_is_used_up(self, server):
        """RULE (D-06): the original never uses it up."""
        token = server.creation_token()
        names = ("new.account", "another.account")
        answers = [public(server, username=n, email="a@example.org", account_creation_token=token) for n in names]
        assert [answer.status_code for answer in answers] == [200, 422]

    def test_a_number_must_be_one(self, server):
        assert fields_of(public(server, phone="username")) == {"phone"}

    def test_a_number_stands_in_for_the_name(self, server):
        answer = public(server, phone=PHONE, email="new@example.org")
        assert answer.status_code == 200
        assert (answer.json()["username"], answer.json()["phone"]) == (PHONE, PHONE)
        assert fields_of(public(server, phone=PHONE, email="new@example.org")) == {"phone"}

    def test_address_and_number_together_are_mailed(self, server):
        """RULE (D-09): the original sends an SMS."""
        public(server, username="new.account", phone=PHONE, email="new@example.org")
        assert [message["transport"] for message in server.messages] == ["mail"]

    def test_other_domains_are_refused(self, server):
        """RULE (D-37): the original makes accounts of any domain."""
        answer = public(server, username="new.account", email="new@example.org", domain="other.example.org")
        assert fields_of(answer) == {"domain"}


class TestPublicWithUniqueAddresses:
    @pytest.fixture
    def configure(self):
        return {"account": {"email_unique": True}}

    def test_an_address_is_taken_once(self, server):
        assert public(server, username="new.account", email="new@example.org").status_code == 200
        assert fields_of(public(server, username="another.account", email="NEW@example.org")) == {"email"}
