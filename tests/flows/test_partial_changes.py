"""PATCH of an account: it changes what it names, and has the effects of PUT."""

import asyncio

import httpx
import pytest

from tests.kit.person import PASSWORD
from tests.kit.waiting import wait_for

FULL = {
    "email": "alice@example.org",
    "phone": "+33612345678",
    "display_name": "Alice",
    "dtmf_protocol": "sipinfo",
}
KEPT = ("username", "domain", "email", "phone", "display_name", "dtmf_protocol", "passwords", "admin", "activated")
NAMED = {"password": "another-horse", "algorithm": "SHA-256"}


@pytest.fixture
def person(server):
    return server.person("alice.martin", **FULL)


@pytest.fixture
def patch(http, admin):
    def send(account_id, body, headers=admin.headers):
        return http.patch(f"/api/accounts/{account_id}", json=body, headers=headers)

    return send


def kept(view, *but):
    return {name: view[name] for name in KEPT if name not in but}


@pytest.mark.parametrize(
    ("body", "now"),
    [
        ({"email": "other@example.org"}, "other@example.org"),
        ({"phone": "+33699999999"}, "+33699999999"),
        ({"display_name": "Alice M."}, "Alice M."),
        ({"dtmf_protocol": "rfc2833"}, "rfc2833"),
        ({"email": None}, None),
        ({"phone": ""}, None),
        ({"display_name": None}, None),
        ({"dtmf_protocol": None}, None),
    ],
)
def test_only_what_is_named_changes(http, admin, person, patch, body, now):
    before = http.get(f"/api/accounts/{person.sip}/search", headers=admin.headers).json()
    changed = patch(person.id, body)
    (name,) = body
    assert (changed.status_code, changed.json()[name]) == (200, now)
    assert changed.json().keys() >= {"confirmation_key", "provisioning_token"}
    after = http.get(f"/api/accounts/{person.sip}/search", headers=admin.headers).json()
    assert kept(after, name) == kept(before, name)
    assert patch(person.id, body).json()[name] == now, "the same again"
    assert http.get("/api/accounts/me", headers=person.headers).status_code == 200, "its key still signs in"


def test_nothing_named_changes_nothing(server, http, admin, person, patch):
    before = server.account(person.id)
    server.later(minutes=5)
    assert (patch(person.id, {}).status_code, patch(person.id, {"unknown": 1}).status_code) == (200, 200)
    assert server.account(person.id) == before
    assert patch(999, {}).status_code == patch(999, {"email": None}).status_code == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"username": "alice.other"}, ["password"]),
        ({"username": "+33612345678", **NAMED}, ["username"]),
        ({"username": None}, ["username"]),
        ({"password": "", "admin": None}, ["password", "admin"]),
        ({"password": "another-horse"}, ["algorithm"]),
        ({"algorithm": "MD5"}, ["password"]),
        ({"algorithm": "SHA-512", "password": "short"}, ["password", "algorithm"]),
        ({"email": "no address", "phone": 12}, ["email", "phone"]),
        ({"username": "the.admin", **NAMED}, ["username"]),
        ({"phone": "+33611111111"}, ["phone"]),
    ],
)
def test_wrong_values_are_told_as_by_put(server, person, patch, body, wrong):
    server.person("bob.builder", phone="+33611111111")
    before = server.account(person.id)
    answer = patch(person.id, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, wrong)
    assert server.account(person.id) == before


def test_a_new_name_with_its_password_signs_out_and_keeps_the_rest(server, http, person, patch):
    changed = patch(person.id, {"username": "alice.other", **NAMED}).json()
    assert (changed["username"], changed["email"], changed["phone"]) == ("alice.other", FULL["email"], FULL["phone"])
    assert http.get("/api/accounts/me", headers=person.headers).status_code == 401
    account = server.account(person.id)
    assert server.services.sign_in.passwords.fits(account, NAMED["password"])
    assert patch(person.id, {"username": "alice.other"}).status_code == 200, "the present name needs no password"


def test_the_same_password_keeps_sign_ins(http, person, patch):
    assert patch(person.id, {"password": PASSWORD, "algorithm": "SHA-256"}).status_code == 200
    assert http.get("/api/accounts/me", headers=person.headers).status_code == 200


def test_the_role_changes_only_when_it_is_named_and_the_last_administrator_stays(server, admin, person, patch):
    assert patch(person.id, {"admin": True}).json()["admin"] is not None
    assert patch(person.id, {"display_name": "x"}).json()["admin"] is not None
    assert patch(person.id, {"admin": False}).json()["admin"] is None
    assert patch(admin.id, {"admin": False}).status_code == 403
    assert patch(admin.id, {"display_name": "Boss"}).json()["admin"] is not None


def test_only_administrators_change_accounts(person, patch):
    assert patch(person.id, {"email": None}, person.headers).status_code == 403
    assert patch(person.id, {"email": None}, {}).status_code == 422


def test_changes_of_different_fields_at_once_all_hold(server, admin, person):
    wanted = {"email": "new@example.org", "phone": "+33688888888", "display_name": "New", "dtmf_protocol": "rfc2833"}
    wanted["admin"] = True
    bodies = [{name: value} for name, value in wanted.items()] * 9
    bodies += [{"username": "alice.new", **NAMED}] * 5

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=admin.headers) as client:
            return await asyncio.gather(*(client.patch(f"/api/accounts/{person.id}", json=body) for body in bodies))

    assert [answer.status_code for answer in asyncio.run(at_once())] == [200] * 50
    account = server.account(person.id)
    assert (account.username, account.email, account.phone) == ("alice.new", wanted["email"], wanted["phone"])
    assert (account.display_name, account.dtmf_protocol, account.is_admin) == ("New", "rfc2833", True)
    assert server.services.sign_in.passwords.fits(account, NAMED["password"])


class TestMovesBetweenDomains:
    @pytest.fixture
    def configure(self):
        return {"app": {"admins_manage_multi_domains": True}}

    def test_another_domain_needs_a_password(self, person, patch):
        refused = patch(person.id, {"domain": "other.example.org"})
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["password"])
        moved = patch(person.id, {"domain": "other.example.org", **NAMED}).json()
        assert (moved["domain"], moved["email"]) == ("other.example.org", FULL["email"])


def test_a_partial_change_is_logged_by_its_method(server, http, admin):
    person = server.person("bob.builder")
    answer = http.patch(f"/api/accounts/{person.id}", json={"display_name": "Bob"}, headers=admin.headers)
    wait_for(lambda: answer.headers["x-request-id"] in server.log.getvalue())
    line = next(line for line in server.log.getvalue().splitlines() if answer.headers["x-request-id"] in line)
    assert "PATCH" in line
