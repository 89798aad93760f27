"""The endpoints of named API keys."""

import pytest

from flexiapi.model import KeyScope
from flexiapi.services.sign_in import MOST_KEYS
from tests.kit.server import shared_by_module
from tests.kit.watched_log import LOG

KEYS = "/api/api_keys"
NEW = {"name": "Flexisip in Paris", "scopes": ["flexisip"]}

server = shared_by_module({})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture(autouse=True)
def no_keys(server):
    async def remove():
        await server.store._database["named_keys"].delete_many({})

    server.run(remove())


def make(http, admin, **fields):
    answer = http.post(KEYS, json={**NEW, **fields}, headers=admin.headers)
    assert answer.status_code == 201, answer.text
    LOG.secrets.add(answer.json()["api_key"])
    return answer.json()


def listed(http, admin):
    return http.get(KEYS, headers=admin.headers).json()


def test_a_key_is_shown_once_and_works(http, admin):
    made = make(http, admin, scopes=["accounts:read", "push", "push"], expires_days=30, idle_days=7)
    key = made.pop("api_key")
    assert key.startswith("fxk_")
    assert len(key) == 44
    assert (made["name"], made["scopes"]) == ("Flexisip in Paris", ["push", "accounts:read"])
    assert (made["account_id"], made["works"], made["idle_days"], made["last_used_at"]) == (admin.id, True, 7, None)
    assert made["expires_at"] > made["created_at"]
    assert listed(http, admin) == [made]
    assert key not in http.get(KEYS, headers=admin.headers).text
    assert http.get("/api/accounts", headers={"x-api-key": key}).status_code == 200


def test_a_key_lasts_for_ever_unless_asked(http, admin):
    made = make(http, admin)
    assert (made["expires_at"], made["idle_days"]) == (None, None)


def test_the_answer_with_the_key_may_not_be_stored(http, admin):
    answer = http.post(KEYS, json=NEW, headers=admin.headers)
    assert "no-store" in answer.headers["cache-control"]


def test_the_administrator_is_told_by_mail(server, http):
    """A new password does not end such a key, so the owner of the account should know of it."""
    boss = server.person(admin_since=server.clock.second(), email="the.boss@example.org")
    make(http, boss, name="Billing \u00e9")
    told = [str(one) for one in server.messages if "the.boss@example.org" in str(one)]
    assert len(told) == 1
    assert "Billing \u00e9" in told[0]
    assert "fxk_" not in told[0]


def test_a_key_is_revoked_by_any_administrator(server, http, admin):
    made = make(http, admin, scopes=["accounts:read"])
    other = server.person(admin_since=server.clock.second())
    revoked = http.delete(f"{KEYS}/{made['id']}", headers=other.headers)
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert http.get("/api/accounts", headers={"x-api-key": made["api_key"]}).status_code == 401
    assert http.delete(f"{KEYS}/{made['id']}", headers=other.headers).status_code == 404
    assert listed(http, admin) == []


def test_the_list_says_when_a_key_does_not_work(server, http, admin):
    boss = server.person(admin_since=server.clock.second())
    make(http, boss)
    assert [key["works"] for key in listed(http, admin)] == [True]
    server.set(boss.id, admin_since=None)
    assert [key["works"] for key in listed(http, admin)] == [False]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", None, "name is missing"),
        ("name", "x" * 65, "name must have at most 64 characters"),
        ("name", "a\nb", "name must not have control characters"),
        ("name", {"$gt": ""}, "name must be a string"),
        ("scopes", None, "scopes is missing"),
        ("scopes", [], "scopes must be one or more of flexisip, statistics:write, push, accounts:read"),
        ("scopes", ["root"], "scopes must be one or more of flexisip, statistics:write, push, accounts:read"),
        ("scopes", [{"$ne": 1}], "scopes must be one or more of flexisip, statistics:write, push, accounts:read"),
        ("expires_days", 0, "expires_days must be at least 1"),
        ("expires_days", 3651, "expires_days must be at most 3650"),
        ("idle_days", "soon", "idle_days must be a number"),
    ],
)
def test_what_is_wrong_is_told(http, admin, field, value, text):
    answer = http.post(KEYS, json={**NEW, field: value}, headers=admin.headers)
    assert (answer.status_code, answer.json()["errors"][field]) == (422, [text])


def test_a_taken_name_is_told(http, admin):
    make(http, admin)
    answer = http.post(KEYS, json={**NEW, "name": "FLEXISIP in paris"}, headers=admin.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"name": ["name is taken by another key: choose another, or revoke that one"]}


def test_one_key_too_many_is_refused(server, http, admin):
    for number in range(MOST_KEYS):
        server.named_key("push", idle_days=number + 1)
    answer = http.post(KEYS, json=NEW, headers=admin.headers)
    told = "This service cannot have more API keys. Revoke those that are no longer used."
    assert (answer.status_code, answer.json()["message"]) == (403, told)


def test_neither_users_nor_keys_make_keys(server, http, admin):
    alice, key = server.person(), server.named_key(*KeyScope)
    for headers in (alice.headers, key):
        assert http.post(KEYS, json=NEW, headers=headers).status_code == 403
        assert http.get(KEYS, headers=headers).status_code == 403
        assert http.delete(f"{KEYS}/1", headers=headers).status_code == 403


def test_the_journal_tells_of_keys_without_them(server, http, admin):
    made = make(http, admin)
    http.delete(f"{KEYS}/{made['id']}", headers=admin.headers)

    async def events():
        await server.store.journal.pending.move()
        found = server.store._database["events"].find({"collection": "named_keys"}).sort("at")
        return [event for event in await found.to_list(None) if event["subject"] == made["id"]]

    created, revoked = server.run(events())
    assert (created["name"], revoked["name"]) == ("named_key.created", "named_key.revoked")
    assert created["details"] == {"name": NEW["name"], "scopes": ["flexisip"]}
    assert created["actor"]["account"] == admin.id
    assert revoked["details"] == {"name": NEW["name"]}
    assert made["api_key"] not in repr((created, revoked))
