"""Hostile input: spec/security.md lines 24, 30, 33 and 34 (ASVS 1.2, 2.2, 4.1, 8.2, 16.5)."""

import json
import re

import pytest

from flexiapi.server.routes import ENDPOINTS_WITHOUT_PANEL
from tests.kit.server import serving

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def shared(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("input"), mongod_uri) as server:
        yield server


@pytest.fixture
def key(shared):
    admin = shared.person(admin_since=shared.clock.second(), dtmf_protocol="sipinfo")
    return {"x-api-key": admin.key}


def fields():
    for handler in ENDPOINTS_WITHOUT_PANEL:
        examples = {name: parameter.segment.example for name, parameter in handler.path_parameters().items()}
        for verb, operation in handler.operations.items():
            for field in operation.params.model_fields if operation.params else ():
                # Whatever is no page number means the first page, a reset is asked for by the name alone, and a
                # dictionary is an object, whose own tests refuse the others.
                if field not in ("page", "reset_password", "dictionary"):
                    name = f"{verb.upper()} {handler.path} {field}"
                    yield pytest.param(verb.upper(), handler.path.format(**examples), field, id=name)


@pytest.mark.parametrize(("method", "path", "field"), list(fields()))
def test_30_objects_lists_and_operators_are_no_values(shared, key, method, path, field):
    for value in ({"$ne": None}, {"$gt": ""}, ["$where"], [{"$regex": ".*"}], {}):
        answer = shared.http.request(method, path, json={field: value}, headers=key)
        assert answer.status_code in (401, 403, 404, 422), answer.text
        is_page = answer.headers["content-type"].startswith("text/html")
        if answer.status_code == 422 and not is_page and field in answer.json().get("errors", ()):
            assert all(isinstance(text, str) for text in answer.json()["errors"][field])


@pytest.mark.parametrize("query", ["search[$ne]=x", "search.$ne=x", "$where=1", "identifiers=x", "domain[$gt]="])
def test_30_operators_in_a_query_select_nothing_else(shared, key, query):
    with_query = shared.http.get(f"/api/accounts?{query}", headers=key).json()
    assert with_query["total"] == shared.http.get("/api/accounts", headers=key).json()["total"]


def test_30_a_search_is_text_and_no_expression(shared, key):
    shared.person("plain.name")
    for text in (".*", "^", "plain?name", "(a+)+$", "[", "\\"):
        answer = shared.http.get("/api/accounts", params={"search": text}, headers=key)
        assert (answer.status_code, answer.json()["total"]) == (200, 0)


MASS = {
    "id": 1,
    "admin": True,
    "admin_since": "2020-01-01T00:00:00Z",
    "activated": True,
    "activated_at": "2020-01-01T00:00:00Z",
    "domain": "evil.example.org",
    "group": "staff",
    "sign_in_epoch": 9,
    "ip_address": "192.0.2.9",
    "user_agent": "forged",
    "provisioning_token": "1234567890123",
    "confirmation": {"key": "1234567890123"},
    "types": [1],
    "contacts": [1],
    "identifiers": ["sip:root@sip.example.org"],
    "created_at": "2020-01-01T00:00:00Z",
}


class TestMassAssignment:
    def assert_ordinary(self, account):
        assert (account.is_admin, account.activated, account.domain) == (False, False, "sip.example.org")
        assert (account.group, account.type_ids, account.contact_ids, account.sign_in_epoch) == (None, (), (), 0)
        assert account.user_agent.startswith("python-httpx")
        assert account.ip_address == "127.0.0.1"
        assert account.provisioning_token != MASS["provisioning_token"]
        assert account.created_at.year > 2020

    def test_24_sign_up_takes_only_its_own_parameters(self, shared):
        own = {"password": "correct-horse", "algorithm": "SHA-256"}
        for path, extra in (
            ("with-account-creation-token", {"username": "mass.first"}),
            ("public", {"username": "mass.second", "email": "m@example.com", "domain": "sip.example.org"}),
        ):
            body = {**MASS, **own, **extra, "account_creation_token": shared.creation_token()}
            made = shared.http.post(f"/api/accounts/{path}", json=body)
            assert made.status_code == 200, made.text
            self.assert_ordinary(shared.account(made.json()["id"]))

    def test_24_a_user_changes_nothing_else_of_the_own_account(self, shared):
        person = shared.person()
        body = {**MASS, "password": "brand-new-one", "algorithm": "SHA-256", "old_password": person.password}
        before = shared.account(person.id)
        assert shared.http.post("/api/accounts/me/password", json=body, headers=person.headers).status_code == 200
        after = shared.account(person.id)
        for name in ("is_admin", "domain", "username", "group", "type_ids", "contact_ids", "ip_address", "created_at"):
            assert getattr(after, name) == getattr(before, name)

    def test_24_an_administrator_cannot_set_what_no_parameter_names(self, shared, key):
        person = shared.person()
        body = {**MASS, "username": "mass.third", "password": "brand-new-one", "algorithm": "SHA-256", "admin": False}
        changed = shared.http.put(f"/api/accounts/{person.id}", json=body, headers=key)
        assert changed.status_code == 200
        account = shared.account(person.id)
        assert (account.id, account.domain, account.group, account.type_ids) == (person.id, "sip.example.org", None, ())


SPOOFED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Request-Id": "forged"}


class TestProxies:
    def made(self, server, headers):
        body = {"username": "by.proxy", "password": "correct-horse", "algorithm": "MD5"}
        body["account_creation_token"] = server.creation_token()
        return server.http.post("/api/accounts/with-account-creation-token", json=body, headers=headers)

    def test_33_headers_of_anybody_count_for_nothing(self, shared):
        made = self.made(shared, SPOOFED)
        assert made.json()["ip_address"] == "127.0.0.1"
        assert made.headers["x-request-id"] != "forged"
        person = shared.person()
        answer = shared.http.get("/api/accounts/me/api_key", headers={**person.headers, **SPOOFED})
        shared.http.cookies.clear()
        assert "secure" not in answer.headers["set-cookie"].lower()

    def test_33_nor_do_they_buy_another_bucket(self, tmp_path, mongod_uri):
        with serving({"limits": {"requests_per_minute": 5}}, tmp_path, mongod_uri) as server:
            statuses = [
                server.http.get("/api/ping", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
                for number in range(14)
            ]
        assert 429 in statuses

    def test_33_a_listed_proxy_is_believed_but_not_what_others_told_it(self, tmp_path, mongod_uri):
        tables = {"server": {"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]}}
        with serving(tables, tmp_path, mongod_uri) as server:
            headers = {**SPOOFED, "X-Forwarded-For": "198.51.100.1, 192.0.2.7, 10.0.0.3"}
            made = self.made(server, headers)
            assert made.json()["ip_address"] == "192.0.2.7"
            assert made.headers["x-request-id"] == "forged"

    def test_33_figures_are_not_for_whom_a_front_server_hides(self, shared):
        assert shared.http.get("/metrics").status_code == 200
        assert shared.http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404

    def test_33_an_id_that_would_forge_fields_of_the_log_is_replaced(self, tmp_path, mongod_uri):
        tables = {"server": {"trusted_proxies": ["127.0.0.0/8"]}}
        with serving(tables, tmp_path, mongod_uri) as server:
            for taken in ("7F000001:8296_7F00001E:1F90_4F7B0A69_0003:790E", "a.b-c", "x" * 128):
                answer = server.http.get("/api/ping", headers={"X-Request-Id": taken})
                assert answer.headers["x-request-id"] == taken
            for forged in ("a account=1", "a=b", "\u00e9", "x" * 129, ""):
                answer = server.http.get("/api/ping", headers={"X-Request-Id": forged.encode("latin-1")})
                assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


class TestFailures:
    @pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "FOO", "CONNECT"])
    def test_34_unknown_methods(self, shared, method):
        answer = shared.http.request(method, "/api/ping")
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/json"
        assert list(answer.json()) == ["message"]
        assert "GET" in answer.headers["allow"]

    @pytest.mark.parametrize(
        "path", ["/nothing", "/api/nothing", "/api/accounts/1/nothing", "/api/..%2f..%2fetc", "/%ff"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_34_unknown_paths(self, shared, method, path):
        answer = shared.http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
        assert list(answer.json()) == ["message"]

    @pytest.mark.parametrize("body", ["{", "[]", '"text"', "\xff", "[" * 60_000, "NaN"])
    def test_34_bodies_that_are_no_objects(self, shared, body):
        headers = {"Content-Type": "application/json"}
        answer = shared.http.post("/api/accounts/public", content=body.encode("latin-1"), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")

    @pytest.mark.parametrize(
        "error", [RuntimeError("/etc/secret password=hunter2"), KeyError("hunter2"), MemoryError(), RecursionError()]
    )
    def test_34_what_nobody_expected_says_nothing(self, shared, key, monkeypatch, error):
        async def broken():
            raise error

        monkeypatch.setattr(shared.services.accounts.types, "all", broken)
        shared.expect_errors("request failed")
        answer = shared.http.get("/api/account_types", headers=key)
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
        assert list(answer.json()) == ["message"]
        for word in ("hunter2", "Traceback", "File", ".py", type(error).__name__):
            assert word not in answer.text
        monkeypatch.undo()
        assert shared.http.get("/api/account_types", headers=key).status_code == 200
        shared.declared.forget_one()

    def test_34_even_a_broken_encoder_is_answered(self, shared, key, monkeypatch):
        async def no_types():
            return [object()]

        monkeypatch.setattr(shared.services.accounts.types, "all", no_types)
        shared.expect_errors("request failed|Uncaught exception")
        answer = shared.http.get("/api/account_types", headers=key)
        assert (answer.status_code, json.loads(answer.content).keys()) == (500, {"message"})
        shared.declared.forget_one()
