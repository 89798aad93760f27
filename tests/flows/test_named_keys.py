"""Named API keys: a key opens what its scopes do, and nothing else, for as long as it may."""

import asyncio
from dataclasses import replace

import pytest

from flexiapi.errors import NamedKeysFull, ValidationFailed
from flexiapi.model import Actor, ActorKind, KeyScope
from flexiapi.server.routes import ENDPOINTS, ENDPOINTS_WITHOUT_PANEL
from flexiapi.services.sign_in import MOST_KEYS, NewNamedKey
from flexiapi.store.indexes import INDEXES
from flexiapi.store.pending_events import WITHOUT_EVENTS
from flexiapi.web.operation import Access
from tests.kit.server import serving, shared_by_module
from tests.kit.spaces import B
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.security

server = shared_by_module({"flexisip": {"external_auth": True}})
SCOPED = [
    (endpoint, operation)
    for endpoint in ENDPOINTS
    for operation in endpoint.operations.values()
    if operation.access is not Access.PUBLIC and not operation.hidden and operation.switch is None
]
UNKNOWN = "The API key is unknown, expired or revoked."


def path_of(endpoint):
    examples = {name: parameter.segment.example for name, parameter in endpoint.path_parameters().items()}
    return endpoint.path.format(**examples)


def administrator(server):
    return server.person(admin_since=server.clock.second())


def keeper_of(person):
    return Actor(ActorKind.ACCOUNT, person.id)


def refusal(http, key, path="/api/accounts"):
    answer = http.get(path, headers=key)
    return answer.status_code, answer.json().get("message")


def documents(server):
    async def read():
        return await server.store._database["named_keys"].find({}, WITHOUT_EVENTS).sort("_id").to_list(None)

    return server.run(read())


@pytest.fixture(autouse=True)
def no_keys(server):
    """Without the keys of the test before, whose number is limited."""
    yield

    async def remove():
        await server.store._database["named_keys"].delete_many({})

    server.run(remove())


def test_a_key_without_the_scope_is_refused_everywhere(server, http):
    """Each operation of accounts refuses a key that has all other scopes, and says what it needs."""
    keys, swept = {}, 0
    for endpoint, operation in SCOPED:
        opening = {scope for scope in KeyScope if not set(scope.opens).isdisjoint(operation.scopes)}
        others = frozenset(KeyScope) - opening
        if others not in keys:
            keys[others] = server.named_key(*others)
        answer = http.request(operation.verb, path_of(endpoint), headers=keys[others])
        told = answer.json()["message"] if answer.content else ""
        assert answer.status_code == 403, (operation.verb, endpoint.path, told)
        for scope in operation.scopes:
            assert scope in told, (operation.verb, endpoint.path, told)
        if not operation.scopes and not endpoint.statuses_without_body:
            assert told == "A named API key cannot do this. Sign in as an account.", (operation.verb, endpoint.path)
        swept += 1
    assert swept > 60


def test_a_key_with_a_scope_passes_the_role_wherever_it_opens(server, http):
    """An operation asks for no account when a key has none: each answers otherwise than with 401, 403 for the role, or
    500."""
    passed = 0
    for scope in KeyScope:
        key = server.named_key(scope)
        for endpoint, operation in SCOPED:
            if set(scope.opens).isdisjoint(operation.scopes):
                continue
            answer = http.request(operation.verb, path_of(endpoint), headers=key)
            assert answer.status_code not in (401, 403, 500), (scope, operation.verb, endpoint.path, answer.text)
            passed += 1
    assert passed > 10


def test_nothing_without_sign_in_minds_a_named_key(http):
    assert http.get("/api/ping", headers={"x-api-key": "fxk_unknown"}).status_code == 200


def test_only_operations_for_administrators_have_scopes():
    """Operations of users concern the own account, which a named key does not have."""
    operations = [operation for endpoint in ENDPOINTS for operation in endpoint.operations.values()]
    assert {operation.access for operation in operations if operation.scopes} == {Access.ADMIN}
    assert not [operation for operation in operations if operation.scopes and operation.hidden]


def test_flexisip_opens_what_it_includes():
    assert KeyScope.FLEXISIP.opens == (KeyScope.FLEXISIP, KeyScope.STATISTICS_WRITE, KeyScope.PUSH)
    assert all(scope.opens == (scope,) for scope in KeyScope if scope is not KeyScope.FLEXISIP)


def test_a_key_reads_accounts_without_their_secrets(server, http):
    boss, key = administrator(server), server.named_key("accounts:read")
    made = http.post(
        "/api/accounts",
        json={"username": "brand.new", "password": "correct-horse", "algorithm": "SHA-256"},
        headers=boss.headers,
    ).json()
    assert made["confirmation_key"]
    assert made["provisioning_token"]
    shown = http.get(f"/api/accounts/{made['id']}", headers=key).json()
    assert (shown["username"], shown["confirmation_key"], shown["provisioning_token"]) == ("brand.new", None, None)
    listed = http.get("/api/accounts", headers=key)
    assert made["confirmation_key"] not in listed.text
    assert made["provisioning_token"] not in listed.text
    for path in ("brand.new@sip.example.org/search", f"{made['id']}/contacts"):
        answer = http.get(f"/api/accounts/{path}", headers=key)
        assert answer.status_code == 200
        assert made["provisioning_token"] not in answer.text


def test_pages_and_cookies_take_no_named_key(server, http):
    key = server.named_key("flexisip", "accounts:read")["x-api-key"]
    answer = http.get("/api/accounts", headers={"Cookie": f"x-api-key={key}"})
    told = "A named API key is sent as header x-api-key, not as a cookie."
    assert (answer.status_code, answer.json()["message"]) == (401, told)
    for path in ("/dashboard", "/admin/accounts"):
        assert http.get(path, headers={"x-api-key": key}).status_code != 200


def test_a_key_of_an_administrator_works_only_while_that_is_one(server, http):
    boss = administrator(server)
    administrator(server)  # another, so that the first may go
    key = server.named_key("accounts:read", actor=keeper_of(boss))
    told = "This API key works only while the account that made it is an active administrator."

    def changed(**fields):
        server.set(boss.id, **fields)
        return refusal(http, key)

    now = server.clock.second()
    assert refusal(http, key)[0] == 200
    assert changed(admin_since=None) == (401, told)
    assert changed(admin_since=now) == (200, None)
    assert changed(blocked_at=now) == (401, told)
    assert changed(blocked_at=None) == (200, None)
    assert changed(activated=False, deactivated_at=now, activated_at=now) == (401, told)
    assert changed(activated=True, deactivated_at=None) == (200, None)
    assert changed(domain="other.example.org") == (200, None)  # a domain of the same space


def test_a_key_of_an_administrator_ends_with_the_account(server, http):
    boss, other = administrator(server), administrator(server)
    key = server.named_key("accounts:read", actor=keeper_of(boss))
    kept = server.named_key("accounts:read", actor=keeper_of(other))
    assert http.delete(f"/api/accounts/{boss.id}", headers=other.headers).status_code == 200
    assert refusal(http, key) == (401, UNKNOWN)
    assert refusal(http, kept)[0] == 200
    assert [document["account_id"] for document in documents(server)] == [other.id]


def test_the_export_of_an_administrator_has_the_keys_that_it_made(server):
    boss = administrator(server)
    server.named_key("push", actor=keeper_of(boss))
    server.named_key("push")
    records = server.run(server.services.accounts.personal_data.of(boss.account))
    assert [key.account_id for key in records.named_keys] == [boss.id]


def test_a_key_of_the_space_outlives_every_administrator(server, http):
    key = server.named_key("accounts:read")
    assert "account_id" not in documents(server)[0]
    assert refusal(http, key)[0] == 200


def test_an_expired_key_and_an_idle_one_are_refused(server, http, monkeypatch):
    monkeypatch.setattr(server.clock, "offset", server.clock.offset)
    expiring, idle = server.named_key("accounts:read", expires_days=3), server.named_key("accounts:read", idle_days=2)
    lasting = server.named_key("accounts:read")
    for _ in range(2):
        server.later(days=1, hours=12)
        assert refusal(http, idle)[0] == 200  # each use begins its days anew
        server.run(server.store.key_uses.write())
    assert refusal(http, expiring) == (401, UNKNOWN)
    server.later(days=2)
    assert refusal(http, idle) == (401, UNKNOWN)
    server.later(days=4000)
    assert refusal(http, lasting)[0] == 200


def test_a_key_is_stored_as_a_hash_and_removed_when_it_has_long_been_over(server):
    key = server.named_key("flexisip", expires_days=1, idle_days=10)["x-api-key"]
    (document,) = documents(server)
    assert key not in str(document)
    assert (document["kept_until"] - document["expires_at"]).days == 30
    server.named_key("flexisip")
    assert "kept_until" not in documents(server)[1]
    (index,) = [index for index in INDEXES["named_keys"] if "kept_until" in index.document["key"]]
    assert index.document["expireAfterSeconds"] == 0


def test_a_use_is_written_once_a_minute(server, http, monkeypatch):
    monkeypatch.setattr(server.clock, "offset", server.clock.offset)
    key, uses = server.named_key("accounts:read", idle_days=1), server.store.key_uses

    def used(times=1):
        for _ in range(times):
            assert refusal(http, key)[0] == 200
        server.run(uses.write())
        return documents(server)[0]

    document = used(3)
    assert "last_used_at" in document
    assert used(3) == document
    server.later(minutes=2)
    later = used()
    assert later["last_used_at"] > document["last_used_at"]
    assert later["kept_until"] > document["kept_until"]


def test_a_use_is_kept_while_the_database_does_not_take_it(server, http, monkeypatch):
    key, uses = server.named_key("accounts:read"), server.store.key_uses
    assert refusal(http, key)[0] == 200

    class Broken:
        async def bulk_write(self, *_, **__):
            raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(uses, "_named_keys", Broken())
        with pytest.raises(RuntimeError):
            server.run(uses.write())
    server.run(uses.write())
    assert "last_used_at" in documents(server)[0]


def test_the_name_is_unique_whatever_its_case(server):
    keys, new = server.services.sign_in.named_keys, NewNamedKey("Flexisip", [KeyScope.FLEXISIP])
    server.run(keys.make(new, server.actor))
    with pytest.raises(ValidationFailed) as failure:
        server.run(keys.make(replace(new, name="FLEXISIP"), server.actor))
    assert failure.value.errors == {"name": ["name is taken by another key: choose another, or revoke that one"]}


def test_fifty_at_once_make_no_more_than_the_limit(server):
    keys = server.services.sign_in.named_keys

    async def at_once():
        new = [NewNamedKey(f"key {number}", [KeyScope.PUSH]) for number in range(50)]
        return await asyncio.gather(*(keys.make(one, server.actor) for one in new), return_exceptions=True)

    async def before():
        new = [NewNamedKey(f"before {number}", [KeyScope.PUSH]) for number in range(MOST_KEYS - 20)]
        await asyncio.gather(*(keys.make(one, server.actor) for one in new))

    server.run(before())
    outcomes = server.run(at_once())
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 20
    assert {type(outcome) for outcome in outcomes} == {tuple, NamedKeysFull}
    assert len(documents(server)) == MOST_KEYS


def test_fifty_at_once_make_one_key_of_a_name(server):
    keys, new = server.services.sign_in.named_keys, NewNamedKey("The one", [KeyScope.PUSH])

    async def at_once():
        return await asyncio.gather(*(keys.make(new, server.actor) for _ in range(50)), return_exceptions=True)

    outcomes = server.run(at_once())
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} == {tuple, ValidationFailed}


def test_a_revoked_key_ends_at_once(server, http):
    key, keys = server.named_key("accounts:read"), server.services.sign_in.named_keys
    (listed,) = server.run(keys.all(server.store.spaces.default))
    assert server.run(keys.revoke(listed.key.id, server.actor)) == listed.key
    assert refusal(http, key) == (401, UNKNOWN)


def test_unknown_keys_count_as_failed_sign_ins(tmp_path, mongod_uri):
    """Three guesses a minute, whatever kind of key is guessed; a right one passes."""
    with serving({"limits": {"failed_sign_ins_per_minute": 3}}, tmp_path, mongod_uri) as server:
        key = server.named_key("accounts:read")
        guesses = ["fxk_a", "plain", "fxk_b", "fxk_c", "plain"]
        answers = [server.http.get("/api/accounts", headers={"x-api-key": guess}).status_code for guess in guesses]
        assert answers == [401, 401, 401, 429, 429]
        assert refusal(server.http, key)[0] == 200


def test_a_key_of_one_space_is_unknown_in_another(tmp_path, mongod_uri):
    with serving({"spaces": {B: {"host": "b.test"}}}, tmp_path, mongod_uri) as server:
        space = server.store.spaces.by_domain[B]
        keys = {
            "b.test": server.named_key("accounts:read", actor=Actor(ActorKind.CLI, space=space)),
            "default.test": server.named_key("accounts:read"),
        }
        for host in keys:
            for of, key in keys.items():
                answer = server.http.get("/api/accounts", headers={**key, "Host": host})
                assert answer.status_code == (200 if of == host else 401), (of, host)


def test_the_log_names_the_key(server, http):
    key = server.named_key("accounts:read")
    (stored,) = documents(server)
    assert refusal(http, key)[0] == 200
    wait_for(lambda: f"account=key:{stored['_id']} " in server.log.getvalue())


def test_every_closed_operation_is_swept():
    closed = [
        operation
        for endpoint in ENDPOINTS_WITHOUT_PANEL
        for operation in endpoint.operations.values()
        if operation.access is not Access.PUBLIC and not operation.hidden and operation.switch is None
    ]
    assert {id(operation) for operation in closed} <= {id(operation) for _, operation in SCOPED}
