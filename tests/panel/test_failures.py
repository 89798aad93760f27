"""Failures of pages are pages; those of all other endpoints are JSON."""

import secrets

import pytest

from flexiapi.rendering.renderer import Renderer
from tests.conftest import serving

CHECK = "/creation_token/check/unknown"
VALIDATE = "/creation_token/validate"
HTML = "text/html; charset=UTF-8"
JSON = "application/json"
BEE = {"spaces": {"b.example.org": {"name": "Bee"}}}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, mongod_uri):
    with serving(
        {"limits": {"anonymous_tokens_per_minute": 0}}, tmp_path_factory.mktemp("pages"), mongod_uri
    ) as server:
        yield server


def assert_page(answer, status, *texts):
    assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    nonce = answer.headers["content-security-policy"].partition("style-src 'nonce-")[2].partition("'")[0]
    assert f'nonce="{nonce}"' in answer.text
    for text in texts:
        assert text in answer.text


def assert_json(answer, status):
    assert (answer.status_code, answer.headers["content-type"]) == (status, JSON)
    assert answer.json()["message"]


class TestPages:
    def test_a_prefetch(self, shared):
        answer = shared.http.post(VALIDATE, headers={"Sec-Purpose": "prefetch"})
        assert_page(answer, 403, "This is not allowed", "This address must not be prefetched.")

    @pytest.mark.parametrize("method", ["PUT", "BREW"])
    def test_a_method_that_the_page_does_not_have(self, shared, method):
        answer = shared.http.request(method, CHECK)
        assert_page(answer, 405, "This method is not allowed here.")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"

    def test_an_unknown_request_token(self, shared):
        assert_page(shared.http.get(CHECK), 404, "This link has expired", "not valid any more")

    def test_a_body_that_is_too_large(self, shared):
        answer = shared.http.post(VALIDATE, content=b"x" * (64 * 1024 + 1), headers=FORM)
        assert_page(answer, 413, "The form is too large")

    def test_a_form_that_is_not_complete(self, shared):
        assert_page(shared.http.post(VALIDATE, data={"csrf": "x"}), 422, "account_creation_request_token is missing")

    def test_an_unexpected_failure(self, shared, monkeypatch):
        async def broken(_token):
            raise RuntimeError("hunter2")

        monkeypatch.setattr(shared.services.codes.creation_tokens, "is_request_open", broken)
        shared.expect_errors("request failed")
        answer = shared.http.get(CHECK)
        assert_page(answer, 500, "Something went wrong", "The server failed. Try again later.")
        assert "hunter2" not in answer.text
        shared.declared.forget_one()

    def test_a_page_that_cannot_be_rendered_is_told_as_json(self, shared, monkeypatch):
        def broken(*_args):
            raise RuntimeError("hunter2")

        monkeypatch.setattr(Renderer, "page", broken)
        shared.expect_errors("request failed")
        assert_json(shared.http.get(CHECK), 500)
        shared.declared.forget_one()

    def test_head_has_no_body(self, shared):
        answer = shared.http.head(CHECK)
        assert (answer.status_code, answer.headers["content-type"], answer.content) == (404, HTML, b"")


class TestLimit:
    @pytest.fixture
    def configure(self):
        return {"limits": {"anonymous_tokens_per_minute": 1}}

    def test_too_many_requests(self, http):
        form = {"account_creation_request_token": secrets.token_hex(8)}
        assert http.post(VALIDATE, data=form).status_code == 403
        answer = http.post(VALIDATE, data=form)
        assert_page(answer, 429, "Too many requests", "Try again in")
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert_json(http.post("/api/accounts/auth_token"), 429)


class TestMaintenance:
    @pytest.fixture
    def configure(self):
        return {"server": {"maintenance": True}}

    def test_pages_are_pages_and_all_else_is_json(self, http):
        for answer in (http.get(CHECK), http.post(VALIDATE), http.put(CHECK), http.options(CHECK)):
            assert_page(answer, 503, "The service is under maintenance. Try again later.")
            assert answer.headers["retry-after"]
        answer = http.post("/authenticate", data={"username": "alice"})
        assert (answer.status_code, "The service is under maintenance. Try again later." in answer.text) == (503, True)
        assert 'action="/authenticate"' not in answer.text
        for path in ("/api", "/api/ping", "/provisioning", "/metrics", "/sip/auth", "/nothing"):
            assert_json(http.get(path), 503)
        # Old phones take any text for the list of contacts (decision 0085).
        contacts = http.get("/contacts/vcard")
        assert (contacts.status_code, contacts.content) == (503, b"")


class TestNameOfTheSpace:
    """A page that fails is in the name of the space of its host, whichever step fails."""

    @pytest.fixture
    def configure(self):
        return BEE

    def named(self, http, method, path, **content):
        there = http.request(method, path, **content, headers={**FORM, "Host": "b.example.org"})
        here = http.request(method, path, **content, headers=FORM)
        assert there.status_code == here.status_code
        return there.status_code, "Bee" in there.text, "Bee" in here.text

    def test_it_is_on_pages_that_fail_early(self, http):
        assert self.named(http, "PUT", CHECK) == (405, True, False)
        assert self.named(http, "POST", VALIDATE, content=b"x" * (64 * 1024 + 1)) == (413, True, False)

    @pytest.mark.parametrize("configure", [{**BEE, "server": {"maintenance": True}}])
    def test_it_is_on_pages_during_maintenance(self, http):
        assert self.named(http, "GET", CHECK) == (503, True, False)


def test_all_else_is_json(shared):
    assert_json(shared.http.post("/api"), 405)
    assert_json(shared.http.post("/provisioning"), 405)
    assert_json(shared.http.get("/creation_token/nothing"), 404)
    assert_json(shared.http.get("/contacts/vcard"), 422)
