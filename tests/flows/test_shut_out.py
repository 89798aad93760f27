"""Accounts that an administrator deactivated (401) or blocked (403, D-67): what they are told, wherever they ask."""

from datetime import timedelta

import pytest

from flexiapi.crypto import digest
from flexiapi.crypto.keys import opened, random_text
from flexiapi.model import Actor, Confirmation, KeyScope
from flexiapi.server.routes import ENDPOINTS_WITHOUT_PANEL
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.web.operation import Access
from tests.api.test_sip_auth import query
from tests.kit.digest import ME, answer, answering, asked, nonce_of
from tests.kit.server import shared_by_module
from tests.kit.stranger import DOMAIN, Stranger, pin_of

pytestmark = pytest.mark.security


server = shared_by_module(
    {
        "limits": {"failed_sign_ins_per_minute": 0, "failed_sign_ins_per_account": 0},
        "flexisip": {"external_auth": True},
    }
)


@pytest.fixture
def boss(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def person(server):
    return server.person(admin_since=server.clock.second())


def signed_in():
    for handler in ENDPOINTS_WITHOUT_PANEL:
        examples = {name: parameter.segment.example for name, parameter in handler.path_parameters().items()}
        for verb, operation in handler.operations.items():
            if operation.access is not Access.PUBLIC and operation.switch is None:
                yield verb.upper(), handler.path.format(**examples)


def by_digest(http, person, method, path):
    nonce = nonce_of(asked(http, person))
    ha1 = digest.ha1("SHA-256", person.account.username, person.account.domain, person.password)
    response = digest.response("SHA-256", ha1, nonce, "00000001", "c", "auth", method, path)
    headers = answering(person, nonce, 1, "SHA-256", uri=path)
    before, _, after = headers["Authorization"].partition('response="')
    headers["Authorization"] = f'{before}response="{response}"{after.partition(chr(34))[2]}'.replace("0a4f113b", "c")
    return http.request(method, path, headers=headers)


@pytest.mark.parametrize(("state", "status"), [("deactivate", 401), ("block", 403)])
def test_every_route_refuses_keys_and_digest(server, http, boss, person, state, status):
    assert http.post(f"/api/accounts/{person.id}/{state}", headers=boss.headers).status_code == 200
    key = {"x-api-key": server.key_for(person.id)}
    swept = 0
    for method, path in signed_in():
        swept += 1
        assert http.request(method, path, headers=key).status_code == status, (method, path)
        if swept % 8 == 0:
            assert by_digest(http, person, method, path).status_code == status, (method, path)
    assert swept > 50


class TestBlocked:
    @pytest.fixture
    def blocked(self, http, boss, person):
        told = http.post(f"/api/accounts/{person.id}/block", headers=boss.headers)
        assert (told.status_code, told.json()["blocked"]) == (200, True)
        return person

    def test_only_who_is_right_is_told(self, http, blocked):
        challenged = asked(http, blocked)
        assert challenged.status_code == 401
        wrong = http.get(ME, headers=answering(blocked, nonce_of(challenged), 1, "SHA-256", password="wrong"))
        assert wrong.status_code == 401
        right = http.get(ME, headers=answer(blocked, nonce_of(challenged)))
        assert (right.status_code, right.json()) == (403, {"message": "Account blocked"})
        by_key = http.get(ME, headers=blocked.headers)
        assert (by_key.status_code, by_key.json()) == (403, {"message": "Account blocked"})

    def test_it_gets_in_nowhere_and_loses_nothing(self, server, http, boss, person):
        token = http.get("/api/accounts/me/provision", headers=person.headers).json()["provisioning_token"]
        attached = http.post("/api/accounts/auth_token").json()["token"]
        http.get(f"/api/accounts/auth_token/{attached}/attach", headers=person.headers)
        http.post(f"/api/accounts/{person.id}/block", headers=boss.headers)
        phone = {"X-Linphone-Provisioning": "1"}
        assert "auth_info_0" not in http.get(f"/provisioning/{token}", headers=phone).text
        assert http.get(f"/provisioning/auth_token/{attached}", headers=phone).status_code == 404
        assert http.get(f"/api/accounts/me/api_key/{attached}").status_code == 404
        assert http.get(f"/sip/auth?{query(person)}").text.startswith("Status: 403")
        told = http.post(f"/api/accounts/{person.id}/unblock", headers=boss.headers)
        assert (told.status_code, told.json()["blocked"]) == (200, False)
        assert http.get(ME, headers=person.headers).status_code == 200
        assert http.get(f"/sip/auth?{query(person)}").text.startswith("Status: 200")
        assert "auth_info_0" in http.get(f"/provisioning/{token}", headers=phone).text

    def test_no_code_of_before_recovers_or_activates_it(self, server, http, boss):
        number = "+33698765432"
        waiting = Stranger(server)
        waits = waiting.sign_up(username="blocked.newcomer", phone="+33698765433").json()
        first = pin_of(waiting.last)
        person = server.person(phone=number)
        body = {"phone": number, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).status_code == 200
        pin = pin_of(waiting.last)
        for account_id in (person.id, waits["id"]):
            http.post(f"/api/accounts/{account_id}/block", headers=boss.headers)
        assert http.get(f"/api/accounts/{number}@{DOMAIN}/recover/{pin}").status_code == 404
        assert waiting.activate("blocked.newcomer", first).status_code == 404
        for account_id in (person.id, waits["id"]):
            http.post(f"/api/accounts/{account_id}/unblock", headers=boss.headers)
        assert http.get(f"/api/accounts/{number}@{DOMAIN}/recover/{pin}").status_code == 200
        assert waiting.activate("blocked.newcomer", first).status_code == 200

    @pytest.mark.parametrize("use", ["recover", "activate", "provision", "auth token", "number", "password"])
    def test_a_block_that_lands_after_the_look_at_it_stops_what_was_asked(self, server, http, monkeypatch, use):
        secrets = {"confirmation": Confirmation(key="WatDmy0pTd4cO"), "provisioning_token": random_text(13)}
        person = server.person(activated=use not in ("activate", "provision"), **secrets)
        ask = self.asking(server, http, person)[use]
        before, written, late = server.account(person.id), server.store.accounts.apply, []

        async def apply(change, actor):
            if not late:
                late.append(await written(before.block(server.clock.second()), Actor.system()))
            return await written(change, actor)

        with monkeypatch.context() as patched:
            patched.setattr(server.store.accounts, "apply", apply)
            answer = ask()
        assert late[0].is_blocked
        assert answer.status_code == 404 or "auth_info_0" not in answer.text
        assert server.account(person.id) == late[0]
        server.apply(late[0].unblock(server.clock.second()))
        if use != "auth token":
            assert ask().status_code == 200

    def asking(self, server, http, person):
        """Ways in which the account gets something, each with all that it needs."""
        attached = http.post("/api/accounts/auth_token").json()["token"]
        http.get(f"/api/accounts/auth_token/{attached}/attach", headers=person.headers)
        http.post("/api/accounts/me/phone/request", json={"phone": "+33611111111"}, headers=person.headers)
        code = {"code": pin_of(server.messages[-1])}
        password = {"old_password": person.password, "password": "another-horse-battery", "algorithm": "SHA-256"}
        path, key, token = f"/api/accounts/{person.sip}", "WatDmy0pTd4cO", person.account.provisioning_token
        phone = {"X-Linphone-Provisioning": "1"}
        return {
            "recover": lambda: http.get(f"{path}/recover/{key}"),
            "activate": lambda: http.post(f"{path}/activate/email", json={"confirmation_key": key}),
            "provision": lambda: http.get(f"/provisioning/{opened(token)}", headers=phone),
            "auth token": lambda: http.get(f"/api/accounts/me/api_key/{attached}"),
            "number": lambda: http.post("/api/accounts/me/phone", json=code, headers=person.headers),
            "password": lambda: http.post("/api/accounts/me/password", json=password, headers=person.headers),
        }

    def test_the_last_administrator_is_not_blocked(self, server, http, boss, person):
        async def demote_others():
            others = {"_id": {"$nin": [boss.id, person.id]}}
            await server.store._database["accounts"].update_many(others, {"$unset": {"admin_since": ""}})

        server.run(demote_others())
        assert http.post(f"/api/accounts/{person.id}/block", headers=boss.headers).status_code == 200
        refused = http.post(f"/api/accounts/{boss.id}/block", headers=boss.headers)
        assert (refused.status_code, "last" in refused.json()["message"]) == (403, True)
        assert http.get(ME, headers=boss.headers).status_code == 200

    def test_administrators_do_not_block_themselves(self, http, boss, person):
        refused = http.post(f"/api/accounts/{boss.id}/block", headers=boss.headers)
        assert (refused.status_code, "your own account" in refused.json()["message"]) == (403, True)
        assert http.get(ME, headers=boss.headers).json()["blocked"] is False

    def test_the_reason_is_told_to_administrators_and_not_to_the_person(self, server, http, boss):
        person = server.person()
        path, reason = f"/api/accounts/{person.id}", "Reported for spam"
        told = http.post(f"{path}/block", json={"reason": reason}, headers=boss.headers).json()
        assert (told["blocked"], told["block_reason"]) == (True, reason)
        assert http.post(f"{path}/block", headers=boss.headers).json()["block_reason"] == reason
        shown = http.get(path, headers=boss.headers).json()
        assert (shown["blocked"], shown["block_reason"]) == (True, reason)
        found = http.get("/api/accounts", params={"blocked": "1"}, headers=boss.headers).json()["data"]
        assert {one["blocked"] for one in found} == {True}
        assert person.id in [one["id"] for one in found]
        assert reason not in http.get(ME, headers=person.headers).text
        wanted = NewNamedKey("A program that reads accounts", [KeyScope.ACCOUNTS_READ])
        key, _ = server.run(server.services.sign_in.named_keys.make(wanted, Actor.system()))
        by_program = http.get(path, headers={"x-api-key": key}).json()
        assert (by_program["blocked"], by_program["block_reason"]) == (True, None)
        server.run(server.store.journal.pending.move())
        events = server.run(server.services.accounts.activity.of(server.account(person.id)))
        assert [one.details.get("reason") for one in events if one.name == "account.blocked"] == [None, reason]
        told = http.post(f"{path}/unblock", headers=boss.headers).json()
        assert (told["blocked"], told["block_reason"]) == (False, None)
        assert reason not in http.get(ME, headers=person.headers).text

    @pytest.mark.parametrize("reason", ["x" * 256, "two\nlines", ["a"], {"$gt": ""}], ids=str)
    def test_a_reason_is_one_short_line(self, http, boss, person, reason):
        refused = http.post(f"/api/accounts/{person.id}/block", json={"reason": reason}, headers=boss.headers)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["reason"])

    def test_many_codes_that_are_asked_for_block_for_a_time_and_never_for_good(self, server, http, boss):
        """The original blocks such an account until an administrator comes."""
        person = server.person(email="codes@example.org")
        most = server.settings.limits.codes_per_account
        path = f"/api/accounts/{person.id}/send_reset_password_email"
        server.services.codes.reset_links._limiter._rules["codes"] = (5, timedelta(hours=1))
        asked_for = [http.post(path, headers=boss.headers) for _ in range(6)]
        server.services.codes.reset_links._limiter._rules["codes"] = (most, timedelta(hours=1))
        assert [one.status_code for one in asked_for] == [200] * 5 + [429]
        assert 0 < int(asked_for[-1].headers["Retry-After"]) <= 3601
        assert http.get(ME, headers=person.headers).json()["blocked"] is False
