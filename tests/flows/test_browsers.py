"""Browsers: spec/security.md lines 26 to 28 (ASVS 3.3, 3.4, 3.5)."""

import pytest

from flexiapi.server.routes import ENDPOINTS

pytestmark = pytest.mark.security

KEY = "/api/accounts/me/api_key"


def cookie_of(answer):
    name_and_value, *attributes = answer.headers["set-cookie"].split("; ")
    return name_and_value.partition("=")[::2], {attribute.lower() for attribute in attributes}


class TestCookie:
    def test_26_it_is_kept_from_scripts_and_other_sites(self, http, alice):
        answer = http.get(KEY, headers=alice.headers)
        (name, value), attributes = cookie_of(answer)
        assert (name, value) == ("x-api-key", answer.text)
        assert {"httponly", "samesite=strict", "path=/", "max-age=3600"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)

    def test_26_cookies_of_others_do_not_hide_it(self, http, alice):
        headers = {"Cookie": f'settings={{"a":1}}; x-api-key={alice.key}'}
        assert http.get("/api/accounts/me", headers=headers).status_code == 200

    def test_26_a_new_key_ends_the_one_before(self, http, alice):
        fresh = http.get(KEY, headers=alice.headers).text
        http.cookies.clear()
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        assert http.get("/api/accounts/me", headers={"x-api-key": fresh}).status_code == 200

    def test_26_an_unused_key_ends(self, server, http, alice):
        server.later(minutes=61)
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401

    def test_26_a_key_is_ended_by_its_owner(self, http, alice):
        answer = http.delete(KEY, headers=alice.headers)
        assert (answer.status_code, answer.json()) == (200, {})
        assert cookie_of(answer)[0] == ("x-api-key", '""')
        assert any(attribute.startswith("expires=thu, 01 jan 1970") for attribute in cookie_of(answer)[1])
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        assert http.delete(KEY, **alice.digest).status_code == 200  # there is none any more
        assert http.delete(KEY, headers=alice.headers).status_code == 401


class TestLongestLife:
    @pytest.fixture
    def configure(self):
        return {"app": {"api_key_max_days": 2, "api_key_expiration_minutes": 3 * 1440}}

    def test_26_a_key_ends_however_it_is_used(self, server, http, alice):
        assert "max-age=172800" in cookie_of(http.get(KEY, **alice.digest))[1]
        http.cookies.clear()
        key = {"x-api-key": server.key_for(alice.id)}
        for hours, status in ((25, 200), (22, 200), (2, 401), (0, 401)):
            server.later(hours=hours)
            assert http.get("/api/accounts/me", headers=key).status_code == status
        assert server.account(alice.id).api_key is None


class TestOverTls:
    @pytest.fixture
    def configure(self):
        return {"app": {"url": "https://accounts.example.org"}}

    def test_26_the_cookie_never_leaves_tls(self, http, alice):
        assert "secure" in cookie_of(http.get(KEY, headers=alice.headers))[1]

    def test_28_browsers_stay_with_tls(self, http):
        for path in ("/api/ping", "/provisioning", "/nothing"):
            assert "max-age=" in http.get(path).headers["strict-transport-security"]


CHANGES = [
    ("POST", "/api/accounts/me/password"),
    ("DELETE", "/api/accounts/me"),
    ("GET", KEY),
    ("GET", "/api/accounts/me/provision"),
]


class TestCrossSite:
    """A cookie travels by itself, so it counts only for requests that our own pages start."""

    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
            {},
        ],
    )
    def test_27_requests_that_other_sites_start_are_refused(self, http, alice, method, path, headers):
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"x-api-key={alice.key}"}
        answer = http.request(method, path, headers={**form, **headers})
        assert answer.status_code == 403
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200

    def test_27_our_own_pages_and_programs_may(self, server, http, alice):
        cookie = {"Cookie": f"x-api-key={alice.key}"}
        own = ({"Origin": server.url}, {"Sec-Fetch-Site": "same-origin"})
        for headers in (*own, own[0] | own[1]):
            assert http.get("/api/accounts/me/provision", headers={**cookie, **headers}).status_code == 200
        assert http.get("/api/accounts/me", headers=cookie).status_code == 200  # it changes nothing
        headers = {"x-api-key": alice.key, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert http.get("/api/accounts/me/provision", headers=headers).status_code == 200

    def test_28_no_other_origin_may_read(self, http, alice):
        headers = {**alice.headers, "Origin": "https://evil.example"}
        answers = [http.get("/api/accounts/me", headers=headers), http.options("/api/accounts/me", headers=headers)]
        for answer in answers:
            assert not [name for name in answer.headers if name.startswith("access-control")]


def requests():
    for handler in ENDPOINTS:
        examples = {name: parameter.segment.example for name, parameter in handler.path_parameters().items()}
        for verb in handler.operations:
            yield pytest.param(verb.upper(), handler.path.format(**examples), id=f"{verb.upper()} {handler.path}")


@pytest.fixture(scope="module")
def everything(tmp_path_factory, mongod_uri):
    """One server for the sweep, and an administrator of it."""
    from tests.kit.server import serving

    with serving({}, tmp_path_factory.mktemp("sweep"), mongod_uri) as server:
        yield server, server.person("the.admin", admin_since=server.clock.second())


@pytest.mark.parametrize(("method", "path"), [*requests(), ("GET", "/nothing"), ("PATCH", "/api/ping")])
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_28_every_answer_tells_browsers_what_they_may_not_do(everything, method, path, is_signed_in):
    server, admin = everything
    server.http.cookies.clear()
    answer = server.http.request(method, path, headers={"x-api-key": server.key_for(admin.id)} if is_signed_in else {})
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].replace("style-src 'unsafe-inline'", "")
    assert headers["cache-control"]
    assert headers["x-request-id"]
    assert not [name for name in headers if name.startswith("access-control")]
    assert "Tornado" not in headers["server"]
