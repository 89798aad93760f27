"""The account of an account on another SIP server."""

import asyncio
import hashlib
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({})

BODY = {"username": "alice4711", "domain": "sip.example.com", "protocol": "TLS", "password": "wrong-donkey"}


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def external(http, admin, alice):
    """Call the endpoint of Alice's external account as administrator."""

    def call(method="GET", person=alice, headers=admin.headers, **fields):
        body = {"json": fields} if method == "POST" else {}
        return http.request(method, f"/api/accounts/{person.id}/external", headers=headers, **body)

    yield call
    call("DELETE")


async def found_document(server, account_id):
    return await server.store._database["accounts"].find_one({"_id": account_id})


@pytest.fixture
def stored(server, alice):
    def read():
        return server.account(alice.id).bridged_account

    return read


def ha1(realm="sip.example.com", username="alice4711", password="wrong-donkey"):
    return hashlib.md5(f"{username}:{realm}:{password}".encode()).hexdigest()


def test_an_external_account_is_made_read_changed_and_removed(external, stored, alice):
    assert external().status_code == 404
    made = external("POST", **BODY, registrar="reg.example.com")
    assert made.status_code == 201
    assert made.json() == external().json()
    assert made.json() | {"id": 0, "created_at": "", "updated_at": ""} == {
        "id": 0,
        "account_id": alice.id,
        "username": "alice4711",
        "domain": "sip.example.com",
        "protocol": "TLS",
        "algorithm": "MD5",
        "realm": None,
        "registrar": "reg.example.com",
        "outbound_proxy": None,
        "created_at": "",
        "updated_at": "",
    }
    assert stored().stored == ha1()
    without = {name: value for name, value in BODY.items() if name != "password"}
    changed = external("POST", **without | {"protocol": "UDP"}, outbound_proxy="192.0.2.7")
    assert (changed.status_code, changed.json()["id"]) == (200, made.json()["id"])
    assert (changed.json()["protocol"], changed.json()["registrar"]) == ("UDP", None)
    assert stored().stored == ha1()
    assert external("DELETE").json() == {}
    assert [external(method).status_code for method in ("GET", "DELETE")] == [404, 404]


def test_no_answer_has_the_hash_or_the_password(http, external, admin, alice):
    answers = [external("POST", **BODY), external(), external("POST", **BODY)]
    answers.append(http.get(f"/api/accounts/{alice.id}", headers=admin.headers))
    answers.append(http.get("/api/accounts/me", headers=alice.headers))
    assert all(ha1() not in answer.text and "wrong-donkey" not in answer.text for answer in answers)


def test_it_is_sealed_at_rest_and_sealed_anew(server, external, alice, stored):
    external("POST", **BODY)
    found = server.run(found_document(server, alice.id))
    document = found["bridged_account"]
    assert set(document) == {"number", "username", "domain", "protocol", "sealed", "created_at", "updated_at"}
    assert ha1() not in repr(document)
    server.run(server.store.seals.renew(lambda _count: None))
    anew = server.run(found_document(server, alice.id))["bridged_account"]
    assert anew["sealed"] != document["sealed"]
    assert stored().stored == ha1()


@pytest.mark.parametrize("field", ["username", "domain", "realm"])
def test_the_password_is_asked_for_again_when_its_hash_is_another_one(external, stored, field):
    external("POST", **BODY)
    without = {name: value for name, value in BODY.items() if name != "password"}
    other = without | {field: "other.example.com"}
    refused = external("POST", **other)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["password"])
    assert external("POST", **other, password="another").status_code == 200
    username, realm = other["username"], other.get("realm", other["domain"])
    assert stored().stored == ha1(realm, username, "another")
    back = external("POST", **without)
    assert list(back.json()["errors"]) == ["password"]


def test_another_address_has_another_id_because_the_bridge_removes_what_has_no_row(external):
    first = external("POST", **BODY).json()["id"]
    assert external("POST", **BODY, realm="example.com").json()["id"] == first
    assert external("POST", **BODY | {"username": "other"}).json()["id"] > first


def test_a_password_is_required_at_first(external):
    refused = external("POST", **{name: value for name, value in BODY.items() if name != "password"})
    assert refused.json()["errors"] == {"password": ["password is missing"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "alice@example.com"),
        ("username", "a b"),
        ("username", "x" * 65),
        ("username", ""),
        ("domain", "not a domain"),
        ("domain", "sip.example.com:5060"),
        ("protocol", "SCTP"),
        ("protocol", "udp"),
        ("realm", 'a"b'),
        ("realm", "sip.example.com"),
        ("registrar", "sip.example.com"),
        ("registrar", "sip:reg.example.com"),
        ("outbound_proxy", "sip.example.com"),
        ("outbound_proxy", "proxy;lr"),
        ("password", ""),
        ("password", "x" * 129),
        ("password", "a\nb"),
    ],
)
def test_what_the_bridge_could_not_use_is_refused(external, field, value):
    refused = external("POST", **BODY | {field: value})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])
    assert external().status_code == 404


@pytest.mark.parametrize(
    ("given", "kept"), [("SIP.Example.COM", "sip.example.com"), ("2001:db8::1", "[2001:db8::1]"), ("192.0.2.1",) * 2]
)
def test_a_host_is_kept_as_a_sip_address_has_it(external, given, kept):
    assert external("POST", **BODY | {"domain": given}).json()["domain"] == kept


def test_two_accounts_never_have_the_same_address(server, external):
    assert external("POST", **BODY | {"username": "shared"}).status_code == 201
    refused = external("POST", server.person(), **BODY | {"username": "shared"})
    assert list(refused.json()["errors"]) == ["username"]


def all_at_once(server, admin, bodies):
    async def ask():
        async with httpx.AsyncClient(base_url=server.url, headers=admin.headers, timeout=60) as client:
            posts = (client.post(f"/api/accounts/{id_}/external", json=body) for id_, body in bodies)
            return Counter(answer.status_code for answer in await asyncio.gather(*posts))

    return asyncio.run(ask())


def test_of_50_accounts_at_once_one_gets_the_address(server, admin):
    bodies = [(server.person().id, BODY | {"username": "wanted"}) for _ in range(50)]
    assert all_at_once(server, admin, bodies) == {201: 1, 422: 49}


def test_of_50_requests_at_once_one_makes_it(server, admin, alice):
    bodies = [(alice.id, BODY | {"username": "many", "realm": f"realm-{number}"}) for number in range(50)]
    assert all_at_once(server, admin, bodies) == {201: 1, 200: 49}
    kept = server.account(alice.id).bridged_account
    assert kept.stored == ha1(kept.realm, "many")


def test_administrators_alone_use_it_and_only_of_accounts_that_exist(external, alice):
    for method in ("GET", "POST", "DELETE"):
        assert external(method, headers=alice.headers, **BODY).status_code == 403
        assert external(method, headers={"x-api-key": "wrong"}, **BODY).status_code == 401
    assert external("POST", SimpleNamespace(id=999_999), **BODY).status_code == 404


def test_its_changes_are_events_without_values(server, external, alice):
    external("POST", **BODY | {"username": "journaled"})
    external("DELETE")
    server.run(server.store.journal.pending.move())
    events = {one.name: one for one in server.run(server.store.journal.events.naming(alice.id, 10))}
    assert events.keys() >= {"account.bridge_set", "account.bridge_removed"}
    assert events["account.bridge_set"].details["fields"] == ["bridged_account"]
    assert "journaled" not in str(events)
