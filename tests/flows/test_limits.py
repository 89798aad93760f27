"""Requirements 8, 11 to 14, 24 and D-01 of the security checklist: limits, notices, rights, no effect by looking."""

import itertools
import re

import pytest

from flexiapi.model import Confirmation
from flexiapi.server.routes import ENDPOINTS_WITHOUT_PANEL

pytestmark = pytest.mark.security

PHONE = "+33612345678"
PASSWORD = "correct-horse-battery"
KEY = "WatDmy0pTd4cO"
TOKEN = "7Ma0JzRtWg3kP"


PREFETCHES = (
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X-Purpose": "preview"},
    {"X-Moz": "Prefetch"},
)


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def recover(server, phone=PHONE):
    body = {"phone": phone, "account_creation_token": server.creation_token()}
    return server.http.post("/api/accounts/recover-by-phone", json=body)


class TestSms:
    @pytest.fixture
    def configure(self):
        return {"limits": {"sms_per_minute": 1, "sms_per_hour": 5}}

    def test_d_05_a_number_gets_one_sms_a_minute_and_five_an_hour(self, server):
        server.person("alice.martin", phone=PHONE)
        server.person("bob.martin", phone="+33699999999")
        assert recover(server).status_code == 200
        refused = recover(server)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert recover(server, "+33699999999").status_code == 200
        for _ in range(4):
            server.later(seconds=61)
            assert recover(server).status_code == 200
        server.later(seconds=61)
        refused = recover(server)
        assert refused.status_code == 429
        assert 60 < int(refused.headers["retry-after"]) <= 3600
        server.later(seconds=int(refused.headers["retry-after"]))
        assert recover(server).status_code == 200
        assert len(server.messages) == 7

    def test_d_05_the_window_begins_with_the_sms_and_not_with_the_clock(self, server, alice, monkeypatch):
        now = server.clock.now()
        monkeypatch.setattr(server.clock, "now", lambda: now + server.clock.offset)
        for seconds, status in ((0, 200), (59, 429), (2, 200), (58, 429)):
            server.later(seconds=seconds)
            headers = {"x-api-key": server.key_for(alice.id)}
            answer = server.http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=headers)
            assert answer.status_code == status

    def test_d_05_a_refusal_leaves_the_code_and_the_token_as_they_were(self, server):
        alice = server.person("alice.martin", phone=PHONE)
        recover(server)
        pin = pin_of(server.messages[-1])
        token = server.creation_token()
        body = {"phone": PHONE, "account_creation_token": token}
        assert server.http.post("/api/accounts/recover-by-phone", json=body).status_code == 429
        assert server.run(server.services.codes.creation_tokens.is_free(token))
        assert server.http.get(f"/api/accounts/{alice.sip}/recover/{pin}").status_code == 200


class TestPerAccount:
    @pytest.fixture
    def configure(self):
        return {"limits": {"codes_per_account": 3, "wrong_codes_per_hour": 5}}

    def test_asvs_2_4_1_an_account_may_have_few_codes_sent_whatever_the_address(self, server, alice):
        path = "/api/accounts/me/email/request"
        answers = [
            server.http.post(path, json={"email": f"a{number}@example.org"}, headers=alice.headers)
            for number in range(4)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 3600

    def test_asvs_6_3_1_whoever_guesses_is_refused_and_the_owner_at_another_address_is_not(self, server, http):
        """The codes of five accounts are tried from one address; then that address may not try any more."""
        for number in range(6):
            server.person(f"person.{number}", confirmation=Confirmation(key=KEY))
        paths = [f"/api/accounts/person.{number}@sip.example.org/recover/" for number in range(6)]
        assert [http.get(path + "x" * 13).status_code for path in paths] == [404] * 5 + [429]
        refused = http.get(paths[5] + KEY)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        server.later(hours=1)
        assert http.get(paths[5] + KEY).status_code == 200


class TestSentByMany:
    @pytest.fixture
    def configure(self):
        return {"limits": {"messages_per_minute": 2}}

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/api/accounts/me/email/request", {"email": "new@example.org"}),
            ("/api/accounts/me/phone/request", {"phone": PHONE}),
            ("/api/accounts/recover-by-phone", {"phone": PHONE, "account_creation_token": "x" * 13}),
        ],
    )
    def test_asvs_2_4_1_an_address_causes_few_messages(self, server, alice, path, body):
        answers = [server.http.post(path, json=body, headers=alice.headers) for _ in range(3)]
        assert [answer.status_code == 429 for answer in answers] == [False, False, True]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60


class TestPasswords:
    def test_asvs_7_4_3_a_changed_password_ends_what_was_signed_in_and_pending(self, server, http):
        alice = server.person("alice.martin", email="alice@example.org", confirmation=Confirmation(key=KEY))
        for channel, value in (("email", "new@example.org"), ("phone", PHONE)):
            http.post(f"/api/accounts/me/{channel}/request", json={channel: value}, headers=alice.headers)
        body = {"algorithm": "SHA-256", "password": "new-horse-battery", "old_password": PASSWORD}
        assert http.post("/api/accounts/me/password", json=body, **alice.digest).status_code == 200
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        account = server.account(alice.id)
        assert (account.confirmation, account.email_change, account.phone_change) == (None, None, None)
        assert server.messages[-1]["to"] == "alice@example.org"

    def test_d_13_the_key_of_the_request_itself_stays(self, http, alice):
        body = {"algorithm": "SHA-256", "password": "new-horse-battery", "old_password": PASSWORD}
        assert http.post("/api/accounts/me/password", json=body, headers=alice.headers).status_code == 200
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200

    def test_asvs_6_4_1_a_reset_gives_a_long_random_password(self, server, http, monkeypatch):
        server.person("alice.martin", provisioning_token=TOKEN)
        passwords = server.services.phones.provisioning._passwords
        given, stored = [], passwords.stored
        monkeypatch.setattr(type(passwords), "stored", lambda _, *args: given.append(args[-1]) or stored(*args))
        assert "ha1" in http.get(f"/provisioning/{TOKEN}?reset_password").text
        assert re.fullmatch("[A-Za-z0-9]{16,}", given[0])

    def test_asvs_6_4_6_an_administrator_starts_a_reset_without_a_password(self, server, http, admin):
        alice = server.person("alice.martin", email="alice@example.org")
        answer = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
        assert answer.json()["passwords"] == [{"algorithm": "SHA-256"}]


class TestNotices:
    """ASVS 6.3.6: the old address is told."""

    @pytest.mark.parametrize(("channel", "value"), [("email", "new@example.org"), ("phone", PHONE)])
    def test_asvs_6_3_6_the_old_address_is_told_of_a_change(self, server, http, channel, value):
        alice = server.person("alice.martin", email="old@example.org")
        http.post(f"/api/accounts/me/{channel}/request", json={channel: value}, headers=alice.headers)
        http.post(f"/api/accounts/me/{channel}", json={"code": pin_of(server.messages[-1])}, headers=alice.headers)
        notice = server.messages[-1]
        assert (notice["transport"], notice["to"]) == ("mail", "old@example.org")
        assert value not in notice["text"]


class TestRights:
    def test_asvs_8_2_3_nobody_gives_themselves_rights_by_extra_parameters(self, server, http, alice):
        extra = {"admin": True, "activated": True, "domain": "other.example.org", "admin_since": "2020-01-01", "id": 1}
        body = {"username": "new.account", "password": PASSWORD, "algorithm": "SHA-256"}
        token = {"account_creation_token": server.creation_token()}
        made = http.post("/api/accounts/with-account-creation-token", json={**extra, **body, **token}).json()
        assert (made["admin"], made["activated"], made["domain"]) == (None, False, "sip.example.org")
        http.post("/api/accounts/me/email/request", json={**extra, "email": "a@example.org"}, headers=alice.headers)
        code = {"code": pin_of(server.messages[-1])}
        changed = http.post("/api/accounts/me/email", json={**extra, **code}, headers=alice.headers).json()
        assert (changed["admin"], changed["domain"], changed["id"]) == (None, "sip.example.org", alice.id)

    def test_asvs_8_2_1_what_is_for_administrators_is_refused_to_others(self, http, alice):
        for path, verb, operation in operations():
            if operation.access == "Admin" and operation.switch is None:
                assert http.request(verb, path, headers=alice.headers).status_code == 403, (verb, path)


def operations():
    """Every verb of every path, with parameters that exist or could."""
    for handler in ENDPOINTS_WITHOUT_PANEL:
        for verb, operation in handler.operations.items():
            path = handler.path
            for name, parameter in operation.path.items():
                path = path.replace(f"{{{name}}}", parameter.segment.example)
            yield path, verb.upper(), operation


class TestLooking:
    """D-01: HEAD and prefetch never consume anything."""

    @pytest.fixture
    def secrets(self, server):
        """An administrator for whom every GET with effects would do something, and the values for its paths."""
        admin = server.person(
            "alice.martin",
            admin_since=server.clock.second(),
            activated=False,
            confirmation=Confirmation(key=KEY),
            provisioning_token=TOKEN,
        )
        server.set(admin.id, activated=True)
        target = server.person("a.target", provisioning_token="another-token")
        attached = server.run(server.services.sign_in.api_keys.new_auth_token(server.actor)).token
        server.run(server.services.sign_in.api_keys.attach(attached, admin.account, server.actor))
        free = server.run(server.services.sign_in.api_keys.new_auth_token(server.actor)).token
        values = {
            "id": str(target.id),
            "sip": admin.sip,
            "recover_key": KEY,
            "provisioning_token": TOKEN,
            "label": "main",
        }
        return admin, values, attached, free

    def everything(self, server):
        async def read():
            names = ("accounts", "auth_tokens", "creation_tokens", "request_tokens")
            moving = {"pending_events": 0, "pending_since": 0}
            used = {"api_key.last_used_at": 0, **moving}
            return {name: await server.store._database[name].find({}, used).to_list(None) for name in names}

        return server.run(read())

    def test_d_01_looking_changes_nothing(self, server, http, secrets):
        admin, values, attached, free = secrets
        swept = 0
        for handler in ENDPOINTS_WITHOUT_PANEL:
            operation = handler.operations.get("get")
            if operation is None or not operation.effects:
                continue
            if handler.path == "/sip/auth":
                assert http.head(handler.path).status_code == 404  # it is off
                continue
            swept += 1
            token = free if handler.path.endswith("attach") else attached
            path = handler.path.format(**values, auth_token=token)
            looks = itertools.chain(
                [("HEAD", {})],
                (("GET", header) for header in PREFETCHES),
            )
            for verb, header in looks:
                before = self.everything(server)
                answer = http.request(verb, path, params={"reset_password": ""}, headers={**admin.headers, **header})
                assert answer.status_code == (200 if verb == "HEAD" else 403), (verb, path)
                assert not answer.content or verb == "GET"
                assert "set-cookie" not in answer.headers
                assert self.everything(server) == before, (verb, path)
        assert swept >= 9
