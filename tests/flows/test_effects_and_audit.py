"""Immediate ends of access, and records of events: spec/security.md lines 29, 35 and 36 (ASVS 7.4.2, 16)."""

import re

import pytest
from structlog.testing import capture_logs

from flexiapi import observing
from tests.kit.digest import ME, answer, asked, nonce_of
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.security

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    request ")


class TestAtOnce:
    """Deactivation and deletion, on everything that the account holds already."""

    @pytest.fixture
    def held(self, server, http, admin, alice):
        """Return alice's credentials: a key, a used nonce, a provisioning token, an attached auth token."""
        nonce = nonce_of(asked(http, alice))
        assert http.get(ME, headers=answer(alice, nonce, 1)).status_code == 200
        token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
        auth_token = http.post("/api/accounts/auth_token").json()["token"]
        other = http.post("/api/accounts/auth_token").json()["token"]
        for one in (auth_token, other):
            assert http.get(f"/api/accounts/auth_token/{one}/attach", headers=alice.headers).status_code == 200
        return nonce, token, auth_token, other

    @pytest.mark.parametrize("way", ["deactivation", "deletion"])
    def test_36_nothing_works_any_more(self, http, admin, alice, held, way):
        nonce, token, auth_token, other = held
        url = f"/api/accounts/{alice.id}"
        ended = (
            http.delete(url, headers=admin.headers)
            if way == "deletion"
            else http.post(f"{url}/deactivate", headers=admin.headers)
        )
        assert ended.status_code == 200
        refused = {401, 404}
        assert http.get(ME, headers=alice.headers).status_code == 401
        assert http.get(ME, headers=answer(alice, nonce, 2)).status_code in refused
        assert http.get(ME, **alice.digest).status_code in refused
        assert "ha1" not in http.get(f"/provisioning/{token}").text
        assert http.get(f"/provisioning/qrcode/{token}").status_code == 404
        assert http.get("/provisioning/me", headers=alice.headers).status_code == 401
        assert http.get(f"/api/accounts/me/api_key/{auth_token}").status_code == 404
        assert http.get(f"/provisioning/auth_token/{other}").status_code == 404
        assert http.get("/contacts/vcard", headers=alice.headers).status_code == 401

    def test_36_who_was_deactivated_cannot_recover_alone(self, server, http, admin):
        person = server.person(phone="+33612345678", activated_at=server.clock.second())
        http.post(f"/api/accounts/{person.id}/deactivate", headers=admin.headers)
        body = {"phone": "+33612345678", "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).status_code == 404
        assert server.messages == []

    def test_36_an_administrator_who_is_demoted_or_deactivated_administers_no_more(self, server, http, admin):
        second = server.person("the.second", admin_since=server.clock.second())
        body = {"username": "the.second", "password": second.password, "algorithm": "SHA-256"}
        assert http.get("/api/accounts", headers=second.headers).status_code == 200
        assert http.put(f"/api/accounts/{second.id}", json=body, headers=admin.headers).status_code == 200
        assert http.get("/api/accounts", headers=second.headers).status_code == 403


def lines(server, route):
    server.http.get("/api/ping")

    def found():
        return [line for line in server.log.getvalue().splitlines() if f"route={route} " in line]

    wait_for(found)
    return found()


CHANGES = [
    ("PUT", "/api/accounts/{id}", {"username": "new.name", "password": "brand-new-one", "algorithm": "MD5"}),
    ("DELETE", "/api/accounts/{id}", None),
    ("POST", "/api/accounts/{id}/activate", None),
    ("POST", "/api/accounts/{id}/deactivate", None),
    ("GET", "/api/accounts/{id}/deactivate", None),
    ("GET", "/api/accounts/{id}/provision", None),
    ("POST", "/api/accounts/{id}/actions", {"key": "open", "code": "1"}),
]


class TestAudit:
    @pytest.mark.parametrize(("method", "route", "body"), CHANGES)
    def test_35_a_change_says_who_when_where_and_what(self, server, http, admin, method, route, body):
        person = server.person(dtmf_protocol="sipinfo")
        assert http.request(method, route.format(id=person.id), json=body, headers=admin.headers).is_success
        (line,) = lines(server, route)
        assert LINE.match(line), line
        status = 201 if route.endswith("actions") else 200
        for field in (f"method={method}", f"status={status}", "ip=127.0.0.1", f"account={admin.id}"):
            assert f" {field}" in line
        assert f"target={person.id}" in line

    def test_35_a_creation_and_a_denial_are_on_record(self, server, http, admin, alice):
        assert http.post("/api/account_types", json={"key": "x"}, headers=admin.headers).status_code == 201
        assert f"account={admin.id}" in lines(server, "/api/account_types")[0]
        assert http.get("/api/statistics/day", headers=alice.headers).status_code == 403
        (denied,) = lines(server, "/api/statistics/day")
        assert "status=403" in denied
        assert f"account={alice.id}" in denied

    def test_35_failed_sign_ins_are_on_record_without_what_was_guessed(self, server, http, alice):
        nonce = nonce_of(asked(http, alice))
        wrong = answer(alice, nonce)
        wrong["Authorization"] = re.sub('response="[^"]*"', f'response="{"0" * 64}"', wrong["Authorization"])
        with capture_logs() as captured:
            http.get(ME, headers={"x-api-key": "guessed-key-guessed-key"})
            http.get(ME, headers=wrong)
            http.get(ME, headers=answer(alice, nonce))
            http.get(ME, headers=answer(alice, nonce))
        events = [(one["event"], one["reason"], one["ip"]) for one in captured]
        assert events == [
            ("sign-in failed", "unknown key", "127.0.0.1"),
            ("sign-in failed", "wrong password", "127.0.0.1"),
            ("sign-in failed", "replayed count", "127.0.0.1"),
        ]
        assert captured[1]["account"] == alice.id
        assert "guessed" not in repr(captured)
        assert nonce not in repr(captured)

    def test_35_nobody_forges_a_line(self):
        event = {"timestamp": "t", "level": "info", "event": "x", "reason": "a\n2026-01-01 info forged", "who": "a b=c"}
        text = observing._as_text(None, "info", event)
        assert "\n" not in text
        assert 'who="a b=c"' in text

    def test_29_the_log_names_routes_and_never_their_secrets(self, server, http, admin, alice):
        token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
        auth_token = http.post("/api/accounts/auth_token").json()["token"]
        http.get(f"/api/accounts/auth_token/{auth_token}/attach", headers=alice.headers)
        key = http.get(f"/api/accounts/me/api_key/{auth_token}").json()["api_key"]
        http.cookies.clear()
        http.get(f"/provisioning/qrcode/{token}?reset_password=1")
        http.get(f"/provisioning/{token}")
        http.get(f"/api/accounts/{alice.sip}/search?search=secret-query", headers=admin.headers)
        lines(server, "/api/accounts/{sip}/search")
        written = server.log.getvalue()
        for secret in (token, auth_token, key, alice.key, admin.key, "secret-query", alice.account.username):
            assert secret not in written
