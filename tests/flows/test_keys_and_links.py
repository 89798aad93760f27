"""Keys that people type: how they look and what is accepted; what a deactivation leaves of codes; audit lines."""

import re

import pytest
from structlog.testing import capture_logs

from flexiapi.crypto.codes import KEY_ALPHABET, grouped
from flexiapi.crypto.keys import opened
from flexiapi.model import Confirmation
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

GROUPS = f"[{KEY_ALPHABET}]{{4}}-[{KEY_ALPHABET}]{{4}}-[{KEY_ALPHABET}]{{5}}"
OLD_KEY = "WatDmy0pTd4cO"


server = shared_by_module({})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


def waiting(server, **fields):
    """An account that was never active."""
    return server.person(activated=False, **fields)


def activate(server, person, key):
    return server.http.post(f"/api/accounts/{person.sip}/activate/email", json={"confirmation_key": key})


class TestTypedKeys:
    def mailed(self, server, **body):
        body |= {"password": "correct-horse", "algorithm": "SHA-256", "account_creation_token": server.creation_token()}
        made = server.http.post("/api/accounts/public", json=body).json()
        return server.account(made["id"]), server.messages[-1]

    def test_a_mail_shows_a_key_in_groups_and_it_is_accepted_however_it_is_typed(self, server):
        account, mail = self.mailed(server, username="typed.key", email="typed@example.org")
        shown = re.search(GROUPS, mail["text"])[0]
        assert shown in mail["html"]
        assert shown == grouped(opened(account.confirmation.key))
        path = f"/api/accounts/{account.address}/activate/email"
        for typed in (shown[:-1], shown + "A", shown.replace("-", "")[1:]):
            answer = server.http.post(path, json={"confirmation_key": typed})
            assert (answer.status_code, list(answer.json()["errors"])) == (422, ["confirmation_key"])
        typed = f" {shown.lower().replace('-', ' ')} "
        assert server.http.post(path, json={"code": typed}).status_code == 200

    def test_a_recovery_mail_shows_its_key_in_groups_and_the_path_takes_it_so(self, server, admin):
        person = server.person(email="recovery@example.org")
        answer = server.http.post(f"/api/accounts/{person.id}/recover-by-email", headers=admin.headers).json()
        shown = re.search(GROUPS, server.messages[-1]["text"])[0]
        assert answer["confirmation_key"] == shown.replace("-", "")
        assert server.http.get(f"/api/accounts/{person.sip}/recover/{shown.lower()}").status_code == 200

    def test_a_key_that_was_handed_out_before_is_good_as_it_is(self, server):
        person = waiting(server, confirmation=Confirmation(key=OLD_KEY))
        assert activate(server, person, OLD_KEY.swapcase()).status_code == 404
        assert activate(server, person, OLD_KEY).status_code == 200


class TestLives:
    def mailed(self, server, admin):
        """The path of a person, and the key and token that a mail brought."""
        person = server.person(email="lives@example.org")
        answer = server.http.post(f"/api/accounts/{person.id}/recover-by-email", headers=admin.headers).json()
        return person, answer["confirmation_key"], answer["provisioning_token"]

    def is_good(self, server, token):
        return server.http.get(f"/provisioning/qrcode/{token}").status_code == 200

    def test_d_59_a_link_in_a_mail_ends_with_its_key(self, server, admin):
        person, key, token = self.mailed(server, admin)
        server.later(hours=23, minutes=59)
        assert self.is_good(server, token)
        server.later(minutes=2)
        assert server.http.get(f"/api/accounts/{person.sip}/recover/{key}").status_code == 403
        assert server.http.get(f"/provisioning/qrcode/{token}").status_code == 404
        assert server.http.get(f"/setup/{token}", headers={"Accept": "text/html"}).status_code == 404
        assert "ha1" not in server.http.get(f"/provisioning/{token}").text

    def test_d_59_a_token_that_replaces_a_mailed_one_lives_by_the_setting(self, server, admin):
        person, _, _ = self.mailed(server, admin)
        path = f"/api/accounts/{person.id}/provision"
        token = server.http.get(path, headers=admin.headers).json()["provisioning_token"]
        server.later(hours=719)
        assert self.is_good(server, token)
        server.later(hours=2)
        assert not self.is_good(server, token)
        assert "ha1" not in server.http.get(f"/provisioning/{token}").text


class TestDeactivationBeforeTheFirstActivation:
    @pytest.fixture
    def barred(self, server, admin):
        """An account that an administrator made and deactivated, its key, its token and what signs it in."""
        body = {"username": f"made.by.{admin.id}", "password": "correct-horse-battery", "algorithm": "SHA-256"}
        body |= {"email": f"{admin.id}@example.org", "phone": f"+336{admin.id:08}"}
        made = server.http.post("/api/accounts", json=body, headers=admin.headers).json()
        headers = {"x-api-key": server.key_for(made["id"])}
        path = f"/api/accounts/{made['id']}"
        assert server.http.post(f"{path}/deactivate", headers=admin.headers).status_code == 200
        return path, made, headers

    def ways_in(self, server, made, headers):
        """The statuses and contents of all that would activate the account."""
        http, sip = server.http, f"{made['username']}@{made['domain']}"
        key, token = made["confirmation_key"], made["provisioning_token"]
        recovery = {"phone": made["phone"], "account_creation_token": server.creation_token()}
        return [
            http.post(f"/api/accounts/{sip}/activate/email", json={"code": key}).status_code,
            http.get(f"/api/accounts/{sip}/recover/{key}").status_code,
            http.get(f"/provisioning/qrcode/{token}").status_code,
            http.post("/api/accounts/recover-by-phone", json=recovery).status_code,
            http.get("/api/accounts/me/provision", headers=headers).status_code,
            "ha1" in http.get(f"/provisioning/{token}").text,
        ]

    def test_d_65_it_cannot_activate_itself_and_keeps_key_and_token_for_the_time_after(self, server, admin, barred):
        path, made, headers = barred
        assert self.ways_in(server, made, headers) == [404, 404, 404, 404, 401, False]
        shown = server.http.get(path, headers=admin.headers).json()
        assert (shown["activated"], shown["confirmation_key"]) == (False, made["confirmation_key"])
        assert shown["provisioning_token"] == made["provisioning_token"]
        assert server.http.post(f"{path}/activate", headers=admin.headers).json()["activated"] is True
        assert "ha1" in server.http.get(f"/provisioning/{made['provisioning_token']}").text

    def test_d_65_a_new_token_of_an_administrator_lets_it_in_and_the_old_ones_end(self, server, admin, barred):
        path, made, _ = barred
        fresh = server.http.get(f"{path}/provision", headers=admin.headers).json()["provisioning_token"]
        assert "ha1" not in server.http.get(f"/provisioning/{made['provisioning_token']}").text
        sip = f"{made['username']}@{made['domain']}"
        assert server.http.get(f"/api/accounts/{sip}/recover/{made['confirmation_key']}").status_code == 404
        assert "ha1" in server.http.get(f"/provisioning/{fresh}").text
        assert server.http.get(path, headers=admin.headers).json()["activated"] is True

    def test_d_65_one_that_was_active_loses_everything(self, server, admin):
        person = server.person(provisioning_token="token-of-active", confirmation=Confirmation(key=OLD_KEY))
        server.http.post(f"/api/accounts/{person.id}/deactivate", headers=admin.headers)
        account = server.account(person.id)
        assert (account.confirmation, account.provisioning_token, account.api_key) == (None, None, None)


def test_d_66_a_changed_password_drops_pending_changes_and_the_token_that_the_account_made(server):
    person = server.person()
    server.http.post("/api/accounts/me/email/request", json={"email": "n@example.org"}, headers=person.headers)
    token = server.http.get("/api/accounts/me/provision", headers=person.headers).json()["provisioning_token"]
    body = {"algorithm": "SHA-256", "password": "new-horse-battery", "old_password": person.password}
    assert server.http.post("/api/accounts/me/password", json=body, headers=person.headers).status_code == 200
    account = server.account(person.id)
    assert (account.email_change, account.provisioning_token) == (None, None)
    assert "ha1" not in server.http.get(f"/provisioning/{token}").text


class TestAudit:
    def test_a_wrong_code_is_logged_with_the_account_that_it_was_for(self, server, admin):
        person = server.person(confirmation=Confirmation(pin_hash=b"x" * 32))
        with capture_logs() as captured:
            server.http.get(f"/api/accounts/{person.sip}/recover/0427")
            server.http.post("/api/accounts/me/email/request", json={"email": "w@example.org"}, headers=person.headers)
            pin = re.search(r"\b[0-9]{4}\b", server.messages[-1]["text"])[0]
            wrong = {"code": f"{(int(pin) + 1) % 10_000:04d}"}
            server.http.post("/api/accounts/me/email", json=wrong, headers=person.headers)
            body = {"algorithm": "SHA-256", "password": "new-horse-battery", "old_password": "wrong-old-password"}
            server.http.post("/api/accounts/me/password", json=body, headers=person.headers)
        lines = [one for one in captured if one["event"] == "wrong code"]
        assert [(one["of"], one["account"], one["ip"]) for one in lines] == [
            ("confirmation", person.id, "127.0.0.1"),
            ("email change", person.id, "127.0.0.1"),
            ("old password", person.id, "127.0.0.1"),
        ]
        assert "0427" not in repr(lines)

    def test_a_role_that_is_given_or_taken_is_on_record_with_who_did_it(self, server, admin):
        body = {"username": f"role.{admin.id}", "password": "correct-horse-battery", "algorithm": "SHA-256"}
        with capture_logs() as captured:
            made = server.http.post("/api/accounts", json=body | {"admin": True}, headers=admin.headers).json()
            path = f"/api/accounts/{made['id']}"
            for given in (True, False, True):
                server.http.put(path, json=body | {"admin": given}, headers=admin.headers)
        lines = [one for one in captured if one["event"] == "administrator role"]
        assert [one["is_now"] for one in lines] == ["granted", "withdrawn", "granted"]
        assert {(one["account"], one["by"], one["ip"]) for one in lines} == {(made["id"], str(admin.id), "127.0.0.1")}
