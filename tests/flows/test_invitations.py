"""Invitations: how many accounts one creates, what these get, and what never uses one up."""

import asyncio
import base64
import re
import secrets
from datetime import timedelta

import httpx
import pytest

from flexiapi.crypto.keys import token_hash
from flexiapi.model import Actor, ActorKind
from tests.kit.person import PASSWORD
from tests.kit.server import serving, shared_by_module
from tests.kit.spaces import B
from tests.kit.visitor import Visitor
from tests.kit.watched_log import LOG

INVITATIONS = "/api/invitations"
BY_TOKEN = "/api/accounts/with-account-creation-token"
REFUSED = {"account_creation_token": ["account_creation_token is unknown, used or expired"]}

server = shared_by_module({"panel": {"registration": "invited"}, "spaces": {B: {"host": "b.test"}}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


def invite(server, admin, **fields):
    answer = server.http.post(INVITATIONS, json={"name": "Building A", **fields}, headers=admin.headers)
    assert answer.status_code == 201, answer.text
    LOG.secrets.add(answer.json()["token"])
    return answer.json()


def by_app(http, token, username=None):
    username = username or f"invited.{secrets.token_hex(6)}"
    body = {"username": username, "password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token}
    return http.post(BY_TOKEN, json=body)


def listed(server, admin, invitation):
    found = server.http.get(INVITATIONS, headers=admin.headers).json()
    return next((one for one in found if one["id"] == invitation["id"]), None)


def test_it_creates_as_many_accounts_as_it_may(server, http, admin):
    made = invite(server, admin, uses=2)
    assert (made["uses"], made["used"], made["made_by"]) == (2, 0, admin.id)
    assert [by_app(http, made["token"]).status_code for _ in range(2)] == [200, 200]
    refused = by_app(http, made["token"])
    assert (refused.status_code, refused.json()["errors"]) == (422, REFUSED)
    shown = listed(server, admin, made)
    assert shown["used"] == 2
    assert made["token"] not in server.http.get(INVITATIONS, headers=admin.headers).text


@pytest.mark.security
def test_fifty_at_once_create_no_more(server, admin):
    made = invite(server, admin, uses=10)

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            return await asyncio.gather(*(by_app(client, made["token"]) for _ in range(50)))

    statuses = [answer.status_code for answer in asyncio.run(at_once())]
    assert (statuses.count(200), statuses.count(422)) == (10, 40)
    assert listed(server, admin, made)["used"] == 10


@pytest.mark.security
def test_looking_at_the_link_uses_nothing_up(server, admin):
    """Scanners of mails and previews open links, some several times, and prefetch what they lead to."""
    made = invite(server, admin)
    headers = ({}, {"Sec-Purpose": "prefetch"}, {"X-Purpose": "preview"}, {"User-Agent": "Mozilla/5.0 (scanner)"})
    for one in headers:
        for method in ("GET", "HEAD", "OPTIONS"):
            url = made["url"].removeprefix(server.url)
            answer = httpx.request(method, server.url + url, headers=one, follow_redirects=True)
            assert answer.status_code < 500
    assert listed(server, admin, made)["used"] == 0
    assert by_app(server.http, made["token"]).status_code == 200


def test_accounts_get_types_and_lists_that_are_still_there(server, http, admin):
    kind, gone = (
        http.post("/api/account_types", json={"key": f"t{secrets.token_hex(4)}"}, headers=admin.headers).json()["id"]
        for _ in range(2)
    )
    building = http.post("/api/contacts_lists", json={"title": "A", "description": "B"}, headers=admin.headers).json()
    made = invite(server, admin, types=[kind, gone, kind], contacts_lists=[building["id"]])
    assert (made["types"], made["contacts_lists"]) == ([kind, gone], [building["id"]])
    http.delete(f"/api/account_types/{gone}", headers=admin.headers)
    account = server.account(by_app(http, made["token"]).json()["id"])
    assert (account.type_ids, account.contacts_list_ids) == ((kind,), (building["id"],))


def test_a_use_is_given_back_when_no_account_came_of_it(server, http, admin):
    made, taken = invite(server, admin), f"taken.{secrets.token_hex(6)}"

    async def at_once():
        """Two requests for one name pass the checks, and one loses at the insertion."""
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            two = invite_of_two["token"]
            return await asyncio.gather(*(by_app(client, two, taken) for _ in range(2)))

    invite_of_two = invite(server, admin, uses=2)
    statuses = sorted(answer.status_code for answer in asyncio.run(at_once()))
    assert statuses == [200, 422]
    assert listed(server, admin, invite_of_two)["used"] == 1
    assert by_app(http, made["token"], taken).status_code == 422
    assert listed(server, admin, made)["used"] == 0
    assert by_app(http, made["token"]).status_code == 200


def test_an_account_that_is_removed_leaves_the_invitation(server, http, admin):
    made = invite(server, admin, uses=2)
    account = by_app(http, made["token"]).json()
    assert http.delete(f"/api/accounts/{account['id']}", headers=admin.headers).status_code == 200
    assert listed(server, admin, made)["used"] == 1
    assert by_app(http, made["token"]).status_code == 200


def test_an_account_that_is_there_cannot_use_one_up(server, http, admin):
    made = invite(server, admin, uses=3)
    body = {"account_creation_token": made["token"]}
    answer = http.post("/api/account_creation_tokens/consume", json=body, headers=server.person().headers)
    assert answer.status_code == 404
    assert by_app(http, made["token"]).status_code == 200


def test_a_revoked_one_and_one_that_is_over_create_nothing(server, http, admin, monkeypatch):
    monkeypatch.setattr(server.clock, "offset", server.clock.offset)
    revoked, over = invite(server, admin), invite(server, admin, expires_days=2)
    assert http.delete(f"{INVITATIONS}/{revoked['id']}", headers=admin.headers).json() == {}
    assert http.delete(f"{INVITATIONS}/{revoked['id']}", headers=admin.headers).status_code == 404
    assert by_app(http, revoked["token"]).json()["errors"] == REFUSED
    assert listed(server, admin, revoked) is None
    server.later(days=2)
    assert by_app(http, over["token"]).json()["errors"] == REFUSED


def register(server, url, **fields):
    """Register on the page of a link. Returns the page after it."""
    visitor = Visitor(server.url)
    try:
        visitor.open(url.removeprefix(server.url))
        given = {"username": f"invited.{secrets.token_hex(6)}", "email": f"{secrets.token_hex(6)}@example.org"}
        passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
        return visitor.send("/accounts", **given, **passwords, **fields)
    finally:
        visitor.close()


def test_a_person_registers_by_the_link(server, http, admin):
    kind = http.post("/api/account_types", json={"key": f"t{secrets.token_hex(4)}"}, headers=admin.headers).json()["id"]
    made = invite(server, admin, types=[kind])
    page = register(server, made["url"])
    assert page.url.path == "/activate", page.text
    assert listed(server, admin, made)["used"] == 1
    page = register(server, made["url"])
    assert page.status_code == 422
    assert "Invitation is no invitation, or it is used or expired" in page.text


def test_where_registration_is_open_an_invitation_gives_its_types_too(tmp_path, mongod_uri):
    with serving({"panel": {"registration": "open"}}, tmp_path, mongod_uri) as server:
        admin = server.person(admin_since=server.clock.second())
        kind = server.run(server.services.accounts.types.add("intercom", server.actor))
        made = invite(server, admin, types=[kind.id])
        assert register(server, made["url"]).url.path == "/activate"
        assert listed(server, admin, made)["used"] == 1
        assert register(server, "/register").url.path == "/activate"
        accounts = server.http.get("/api/accounts", headers=admin.headers).json()["data"]
        assert sorted(len(account["types"]) for account in accounts) == [0, 0, 1]


def test_where_pages_are_closed_the_token_is_for_apps_alone(tmp_path, mongod_uri):
    with serving({}, tmp_path, mongod_uri) as server:
        admin = server.person(admin_since=server.clock.second())
        made = invite(server, admin)
        assert made["url"] is None
        assert by_app(server.http, made["token"]).status_code == 200
        body = {"name": "A", "email": "bob@example.org"}
        refused = server.http.post(INVITATIONS, json=body, headers=admin.headers)
        assert list(refused.json()["errors"]) == ["email"]


def test_where_administrators_alone_create_accounts_there_are_none(tmp_path, mongod_uri):
    with serving({"account": {"registration": "closed"}}, tmp_path, mongod_uri) as server:
        admin = server.person(admin_since=server.clock.second())
        answer = server.http.post(INVITATIONS, json={"name": "A"}, headers=admin.headers)
        assert answer.status_code == 403
        assert "account.registration" in answer.json()["message"]


def test_the_link_is_mailed(server, admin):
    made = invite(server, admin, email="bob@example.org")
    mail = next(one for one in reversed(server.messages) if "bob@example.org" in str(one))
    assert made["url"] in str(mail)
    assert made["token"] in str(mail)


def test_the_answer_has_a_picture_of_the_link(server, admin):
    made = invite(server, admin)
    kind, _, data = made["qr_code"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert re.fullmatch(r"https?://[^/]+/register\?token=[A-Za-z0-9]{13}", made["url"])


def test_the_token_is_stored_as_a_hash(server, admin):
    made = invite(server, admin)

    async def read():
        return await server.store._database["creation_tokens"].find_one({"number": made["id"]})

    document = server.run(read())
    assert document["_id"] == token_hash(made["token"])
    assert made["token"] not in str(document)
    assert document["expires_at"] - document["created_at"] == timedelta(days=7)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", None, "name is missing"),
        ("name", "x" * 65, "name must have at most 64 characters"),
        ("email", "bob", "email must be an e-mail address"),
        ("uses", 0, "uses must be at least 1"),
        ("uses", 1001, "uses must be at most 1000"),
        ("uses", {"$gt": 0}, "uses must be a number"),
        ("expires_days", 366, "expires_days must be at most 365"),
        ("types", [999], "types must be ids of types that exist here"),
        ("types", ["a"], "types must be a number"),
        ("contacts_lists", [999], "contacts_lists must be ids of contacts lists that exist here"),
    ],
)
def test_what_is_wrong_is_told(http, admin, field, value, text):
    answer = http.post(INVITATIONS, json={"name": "A", field: value}, headers=admin.headers)
    assert (answer.status_code, answer.json()["errors"][field]) == (422, [text])


@pytest.mark.security
def test_neither_users_nor_keys_nor_other_domains_see_them(server, http, admin):
    made = invite(server, admin)
    for headers in (server.person().headers, server.named_key("flexisip", "accounts:read")):
        assert http.post(INVITATIONS, json={"name": "A"}, headers=headers).status_code == 403
        assert http.get(INVITATIONS, headers=headers).status_code == 403
        assert http.delete(f"{INVITATIONS}/{made['id']}", headers=headers).status_code == 403
    bee = server.person(admin_since=server.clock.second(), domain=B)
    of_bee = {**bee.headers, "Host": "b.test"}
    assert http.get(INVITATIONS, headers=of_bee).json() == []
    assert http.delete(f"{INVITATIONS}/{made['id']}", headers=of_bee).status_code == 404
    kind = server.run(server.services.accounts.types.add(f"t{secrets.token_hex(4)}", server.actor))
    refused = http.post(INVITATIONS, json={"name": "A", "types": [kind.id]}, headers=of_bee)
    assert list(refused.json()["errors"]) == ["types"]
    body = {"username": "bee.bee", "password": PASSWORD, "algorithm": "SHA-256"}
    answer = http.post(BY_TOKEN, json={**body, "account_creation_token": made["token"]}, headers={"Host": "b.test"})
    assert answer.json()["errors"] == REFUSED
    assert listed(server, admin, made)["used"] == 0


def test_the_journal_tells_of_them_without_their_tokens(server, http, admin):
    made = invite(server, admin)
    by_app(http, made["token"])
    http.delete(f"{INVITATIONS}/{made['id']}", headers=admin.headers)

    async def events():
        await server.store.journal.pending.move()
        subject = token_hash(made["token"])
        return await server.store._database["events"].find({"subject": subject}).sort("revision").to_list(None)

    found = server.run(events())
    assert [event["name"] for event in found] == ["invitation.created", "invitation.used", "invitation.revoked"]
    assert made["token"] not in repr(found)
    assert Actor(ActorKind.ACCOUNT, found[0]["actor"]["account"]).label == str(admin.id)
