"""HTTP for all endpoints: what is read, how it is normalised, and what every answer has."""

import json
import re
import secrets
import socket
import time
import types
from urllib.parse import urlencode

import pytest

from flexiapi.errors import ProvisioningFailed
from flexiapi.web import throttle
from flexiapi.web.endpoint import Endpoint, endpoint
from flexiapi.web.operation import Access
from flexiapi.web.routing import Routes
from tests.kit.digest import answering
from tests.kit.server import KIND, serving
from tests.kit.waiting import wait_for

PING = "/api/ping"
INFO = "/api/accounts/{}/info"


@pytest.fixture(scope="module")
def shared(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("data"), mongod_uri) as server:
        yield server


@pytest.fixture
def server(configure, request, tmp_path, mongod_uri):
    """One server for all tests that need no settings of their own."""
    if not configure:
        yield request.getfixturevalue("shared")
        return
    with serving(configure, tmp_path, mongod_uri) as own:
        yield own


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def alice(server):
    return server.person()


def raw(server, *lines, body=b""):
    """Sends a request as it stands; returns the status line, the header lines and the body."""
    head = "\r\n".join([*lines, "Host: x", "Connection: close", "", ""])
    with socket.create_connection(server.sockets[0].getsockname(), timeout=60) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), [line.partition(": ")[::2] for line in headers], body


def new_account(**changes):
    username = f"bob.{secrets.token_hex(6)}"
    return {"username": username, "password": "correct-horse-battery", "algorithm": "MD5", **changes}


class TestNegotiation:
    @pytest.mark.parametrize(
        "accept", [None, "text/html", "*/*", "application/xml;q=1", "nonsense", "application/json"]
    )
    def test_answers_are_json_whatever_is_accepted(self, http, alice, accept):
        headers = {**alice.headers, **({"Accept": accept} if accept else {})}
        for answer in (http.get("/api/accounts/me", headers=headers), http.get("/api/nothing", headers=headers)):
            assert answer.headers["content-type"] == "application/json"
            assert isinstance(answer.json(), dict)
            assert not answer.is_redirect

    def test_text_is_for_those_endpoints_that_say_so(self, http):
        answer = http.get(PING)
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        assert answer.content == b"pong"

    @pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.a+json"])
    def test_json_bodies(self, http, admin, kind):
        body = new_account()
        headers = {**admin.headers, "Content-Type": kind}
        answer = http.post("/api/accounts", content=json.dumps(body), headers=headers)
        assert answer.json()["username"] == body["username"]

    def test_form_bodies(self, http, admin):
        answer = http.post(
            "/api/accounts", data=new_account(display_name="B & D", activated="1"), headers=admin.headers
        )
        assert answer.status_code == 200
        assert answer.json()["display_name"] == "B & D"
        assert answer.json()["activated"] is True

    @pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "", "application/octet-stream"])
    def test_other_bodies_are_ignored(self, http, admin, kind):
        headers = {**admin.headers, "Content-Type": kind}
        answer = http.post("/api/accounts", content=json.dumps(new_account()), headers=headers)
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == ["username", "password", "algorithm"]

    def test_the_query_counts_under_the_body(self, http, admin):
        query = {"username": "from.the.query", "display_name": "From the query"}
        body = new_account()
        answer = http.post("/api/accounts", json=body, params=query, headers=admin.headers)
        assert answer.json()["username"] == body["username"]
        assert answer.json()["display_name"] == "From the query"

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_an_empty_body_needs_no_sense(self, http, admin, kind, verb):
        path = "/api/accounts/me" if verb == "GET" else "/api/account_creation_tokens"
        answer = http.request(verb, path, content=b"", headers={**admin.headers, "Content-Type": kind})
        assert answer.status_code in (200, 201)

    def test_a_post_without_length_and_body(self, server, admin):
        lines = ("POST /api/account_creation_tokens HTTP/1.1", f"x-api-key: {admin.key}")
        assert raw(server, *lines)[0] == 201
        assert raw(server, *lines, "Content-Type: application/json")[0] == 201
        assert raw(server, *lines, "Content-Type: application/json", "Content-Length: 0")[0] == 201
        lines = ("POST /api/accounts/public HTTP/1.1", "Content-Type: application/json")
        assert raw(server, *lines)[0] == 422

    @pytest.mark.parametrize("body", ["{", "[]", "1", '"a"', "null", "nothing", '{"a": }', "\ufeff"])
    def test_what_is_no_json_object(self, http, body):
        answer = http.post("/api/accounts/public", content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json()["message"], str)

    def test_unknown_parameters_are_ignored(self, http, admin):
        answer = http.post("/api/accounts", json=new_account(shoe_size=43, id=7, is_admin=True), headers=admin.headers)
        assert answer.status_code == 200
        assert answer.json()["admin"] is None

    @pytest.mark.parametrize("name", ["%ff", "shoe%ff", "size=%ff", "=%ed%a0%80", "%ff=%ff"])
    def test_unknown_parameters_are_ignored_whatever_they_are(self, http, admin, name):
        form = {**admin.headers, "Content-Type": "application/x-www-form-urlencoded"}
        body = f"{name}&{urlencode(new_account())}"
        assert http.post("/api/accounts", content=body, headers=form).status_code == 200
        assert http.post(f"/api/accounts?{name}", json=new_account(), headers=admin.headers).status_code == 200
        odd = json.dumps({**new_account(), "\ud800": "x", "size": "\ud800"})
        typed = {**admin.headers, "Content-Type": "application/json"}
        assert http.post("/api/accounts", content=odd, headers=typed).status_code == 200

    def test_more_parameters_than_anybody_has_are_malformed(self, http, admin):
        form = {**admin.headers, "Content-Type": "application/x-www-form-urlencoded"}
        body = "&".join(f"shoe{number}=1" for number in range(101))
        assert http.post("/api/accounts", content=body, headers=form).status_code == 400
        assert http.get(f"/api/accounts?{body}", headers=admin.headers).status_code == 400
        assert http.get(f"/api/accounts?{body[:-10]}", headers=admin.headers).status_code == 200


class TestNormalisation:
    @pytest.mark.parametrize("space", [" ", "\t\r\n", "\u00a0\u2003\u3000", "\ufeff", "\u200b", " \u200b \ufeff "])
    def test_texts_are_trimmed(self, http, admin, space):
        body = new_account(display_name=f"{space}Bob{space}")
        padded = {**body, "username": f"{space}{body['username']}{space}"}
        created = http.post("/api/accounts", json=padded, headers=admin.headers).json()
        assert created["username"] == body["username"]
        assert created["display_name"] == "Bob"

    @pytest.mark.parametrize("joiner", ["\u200c", "\u200d", "\u2060"])
    def test_joiners_are_part_of_a_text(self, http, admin, joiner):
        """A name may end in one: in Persian and in emoji it decides on what the letter before looks like."""
        body = new_account(display_name=f"{joiner}Bob{joiner}")
        assert http.post("/api/accounts", json=body, headers=admin.headers).json()["display_name"] == (
            f"{joiner}Bob{joiner}"
        )

    def test_passwords_are_not_trimmed(self, server, http, admin):
        body = new_account(password=" secret-horse ")
        key = server.key_for(http.post("/api/accounts", json=body, headers=admin.headers).json()["id"])
        change = {"algorithm": "MD5", "old_password": "secret-horse", "password": "another-horse"}
        wrong = http.post("/api/accounts/me/password", json=change, headers={"x-api-key": key})
        assert list(wrong.json()["errors"]) == ["old_password"]
        right = {**change, "old_password": " secret-horse "}
        assert http.post("/api/accounts/me/password", json=right, headers={"x-api-key": key}).status_code == 200

    @pytest.mark.parametrize("nothing", ["", " ", "\u200b", None])
    def test_an_empty_text_is_null(self, http, admin, nothing):
        body = new_account(display_name=nothing, email=nothing, dtmf_protocol=nothing, username=nothing)
        errors = http.post("/api/accounts", json=body, headers=admin.headers).json()["errors"]
        assert errors == {"username": ["username is missing"]}
        created = http.post(
            "/api/accounts", json={**body, "username": f"a.{secrets.token_hex(6)}"}, headers=admin.headers
        ).json()
        assert (created["display_name"], created["email"], created["dtmf_protocol"]) == (None, None, None)

    @pytest.mark.parametrize(
        ("given", "meant"), [(True, True), (1, True), ("1", True), (False, False), (0, False), ("0", False)]
    )
    def test_booleans(self, http, admin, given, meant):
        answer = http.post("/api/accounts", json=new_account(activated=given), headers=admin.headers)
        assert answer.json()["activated"] is meant

    @pytest.mark.parametrize("given", ["true", "false", "yes", 2, -1, 1.5, "01", [], {}])
    def test_what_is_no_boolean(self, http, admin, given):
        answer = http.post("/api/accounts", json=new_account(activated=given), headers=admin.headers)
        assert list(answer.json()["errors"]) == ["activated"]

    @pytest.mark.parametrize(("word", "number"), [("true", "1"), ("false", "0")])
    def test_queries_and_forms_have_words_for_booleans(self, http, admin, word, number):
        filters = [{"activated": form, "search": "the.admin"} for form in (word, number)]
        pages = [http.get("/api/accounts", params=each, headers=admin.headers) for each in filters]
        assert pages[0].json()["total"] == pages[1].json()["total"]
        created = http.post("/api/accounts", data=new_account(activated=word), headers=admin.headers)
        assert created.json()["activated"] is (word == "true")
        for wrong in ("yes", "TRUE", "2", "truefalse"):
            refused = http.get("/api/accounts", params={"activated": wrong}, headers=admin.headers)
            assert list(refused.json()["errors"]) == ["activated"]

    def test_numbers_are_no_texts(self, http, admin):
        errors = http.post("/api/accounts", json=new_account(username=12345678), headers=admin.headers).json()["errors"]
        assert errors == {"username": ["username must be a string"]}

    def test_codes_may_be_numbers(self, http, alice):
        path = f"/api/accounts/{alice.sip}/activate"
        for name in ("confirmation_key", "code"):
            assert http.post(f"{path}/phone", json={name: 1234}).status_code == 404
            assert http.post(f"{path}/email", json={name: 1234567890123}).status_code in (404, 422)
            assert http.post(f"{path}/phone", json={name: 12.5}).status_code == 422
            assert http.post(f"{path}/phone", json={name: True}).status_code == 422

    def test_code_overrides_the_name_that_it_stands_for(self, http, alice):
        path = f"/api/accounts/{alice.sip}/activate/phone"
        assert http.post(path, json={"confirmation_key": "nonsense", "code": "1234"}).status_code == 404
        refused = http.post(path, json={"confirmation_key": "1234", "code": "nonsense"})
        assert refused.json()["errors"] == {"code": ["code must be the 4 digits that were sent"]}
        refused = http.post(path, json={"confirmation_key": "nonsense"})
        assert list(refused.json()["errors"]) == ["confirmation_key"]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        refused = http.post(path, content="code=%ff", headers=form)
        assert refused.json()["errors"]["code"][0] == "code is no valid UTF-8 text"


class TestValidationErrors:
    def test_all_fields_in_the_order_of_the_declaration(self, http, admin):
        body = {"dtmf_protocol": "x", "phone": "1", "email": "x", "activated": "x", "algorithm": "x", "username": "A"}
        answer = http.post("/api/accounts", json=body, headers=admin.headers)
        assert answer.status_code == 422
        errors = answer.json()["errors"]
        declared = ["username", "password", "algorithm", "activated", "email", "phone", "dtmf_protocol"]
        assert list(errors) == declared
        texts = [text for of_field in errors.values() for text in of_field]
        assert len(errors["username"]) == 3
        assert answer.json()["message"] == f"{texts[0]} (and {len(texts) - 1} more errors)"

    @pytest.mark.parametrize(("missing", "suffix"), [(1, ""), (2, " (and 1 more error)"), (3, " (and 2 more errors)")])
    def test_the_message_counts_the_others(self, http, admin, missing, suffix):
        body = dict(list(new_account().items())[missing:])
        answer = http.post("/api/accounts", json=body, headers=admin.headers)
        assert answer.json()["message"] == "username is missing" + suffix
        assert answer.json()["errors"]["username"] == ["username is missing"]

    def test_all_rules_contribute_after_the_length(self, http, admin):
        body = new_account(
            username="A b" * 100, password="1", email="x" * 300, display_name="\x07" * 256, domain="-" * 65
        )
        errors = http.post("/api/accounts", json=body, headers=admin.headers).json()["errors"]
        assert errors["username"] == [
            "username must have at most 64 characters",
            "username must be in lower case",
            "username has characters that are not allowed",
        ]
        assert errors["email"] == ["email must have at most 64 characters", "email must be an e-mail address"]
        assert errors["display_name"] == [
            "display_name must have at most 255 characters",
            "display_name must not have control characters",
        ]
        replaced = http.put("/api/accounts/1", json=body, headers=admin.headers).json()["errors"]
        assert replaced["username"] == errors["username"]

    def test_a_long_address_is_one(self, http, admin):
        body = new_account(email=f"{'x' * 60}@example.org", password="p" * 129)
        errors = http.post("/api/accounts", json=body, headers=admin.headers).json()["errors"]
        assert errors == {
            "password": ["password must have at most 128 characters"],
            "email": ["email must have at most 64 characters"],
        }

    def test_a_header_that_is_missing(self, http):
        answer = http.get("/api/accounts/me")
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == ["from"]


class TestPaths:
    def test_a_trailing_slash_is_optional(self, http, alice):
        for path in ("/api/ping", "/api/accounts/me", INFO.format(alice.sip)):
            assert http.get(path + "/", headers=alice.headers).status_code == 200

    def test_parameters_are_decoded_once(self, server, http):
        for username in ("with+plus", "a%40b"):
            server.person(username)
        assert http.get(INFO.format("with+plus@sip.example.org")).status_code == 200
        assert http.get(INFO.format("with%2Bplus%40sip.example.org")).status_code == 200
        assert http.get(INFO.format("with%20plus@sip.example.org")).status_code == 404
        assert raw(server, f"GET {INFO.format('a%2540b@sip.example.org')} HTTP/1.1")[0] == 200
        assert raw(server, f"GET {INFO.format('a%40b@sip.example.org')} HTTP/1.1")[0] == 404

    @pytest.mark.parametrize("token", ["x" * 256, "x" * 5000, "%ff", "a%2Fb", "%0a", "%00", "%C3%A9"])
    def test_whatever_is_no_token_is_an_unknown_one(self, http, token):
        base = http.get("/provisioning")
        answer = http.get(f"/provisioning/{token}")
        assert (answer.status_code, answer.content) == (200, base.content)
        assert answer.headers["content-type"] == "application/xml"
        for path in (f"/provisioning/qrcode/{token}", f"/provisioning/auth_token/{token}"):
            assert http.get(path).status_code == 404
        assert http.get(f"/provisioning/{token}/more").status_code == 404

    def test_a_slash_in_a_name_is_written_with_percent(self, server, http, admin):
        person = server.person("desk/two")
        for path in (INFO.format("desk%2Ftwo@sip.example.org"), "/api/accounts/desk%2ftwo%40sip.example.org/search"):
            assert http.get(path, headers=admin.headers).status_code == 200
        bob = server.person(contact_ids=(person.id,))
        found = http.get("/contacts/vcard/desk%2Ftwo@sip.example.org", headers=bob.headers)
        assert "IMPP:sip:desk/two@sip.example.org" in found.text

    @pytest.mark.parametrize("form", ["{}", "sip:{}", "sips:{}", "SIP:{}", "sip%3A{}"])
    def test_a_scheme_may_stand_before_an_address(self, http, alice, form):
        assert http.get(INFO.format(form.format(alice.sip))).status_code == 200

    def test_phone_numbers_stand_as_they_are(self, server, http):
        server.person(phone="+33612345678")
        assert http.get("/api/accounts/+33612345678/info-by-phone").json()["phone"] is True
        assert http.get("/api/accounts/%2B33612345678/info-by-phone").json()["phone"] is True

    @pytest.mark.parametrize("wrong", ["abc", "-1", "1.0", "%31%20", "9" * 30, "%D9%A3"])
    def test_an_id_is_a_number(self, http, admin, wrong):
        assert http.get(f"/api/accounts/{wrong}", headers=admin.headers).status_code == 404

    def test_literal_segments_win(self, http, alice):
        assert http.get("/api/accounts/me", headers=alice.headers).json()["id"] == alice.id
        answer = http.get("/api/accounts/public", headers=alice.headers)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST, OPTIONS"

    @pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    @pytest.mark.parametrize("path", ["/api/nothing", "/api/accounts/1/nothing/at/all", "/nothing", "/", "/api//ping"])
    def test_unknown_paths(self, http, verb, path):
        answer = http.request(verb, path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert verb == "HEAD" or answer.json()["message"]

    @pytest.mark.parametrize(
        ("verb", "path", "allowed"),
        [
            ("DELETE", PING, "GET, HEAD, OPTIONS"),
            ("PATCH", "/api/accounts/me", "GET, DELETE, HEAD, OPTIONS"),
            ("HEAD", "/api/accounts/public", "POST, OPTIONS"),
            ("BREW", PING, "GET, HEAD, OPTIONS"),
            ("TRACE", PING, "GET, HEAD, OPTIONS"),
            ("TRACE", "/provisioning", "GET, HEAD, OPTIONS"),
            ("POST", "/api", "GET, HEAD, OPTIONS"),
        ],
    )
    def test_other_methods(self, server, verb, path, allowed):
        status, headers, body = raw(server, f"{verb} {path} HTTP/1.1")
        assert status == 405
        assert ("Allow", allowed) in headers
        assert ("Content-Type", "application/json") in headers
        assert verb == "HEAD" or json.loads(body)["message"]

    def test_options_tells_the_methods_without_sign_in(self, http):
        answer = http.options("/api/accounts/me")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["allow"] == "GET, DELETE, HEAD, OPTIONS"
        assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_head_is_get_without_body(self, http, alice):
        for path in (PING, "/api/accounts/me", "/api", "/api/openapi.json"):
            got, headed = (http.request(verb, path, headers=alice.headers) for verb in ("GET", "HEAD"))
            assert headed.content == b""
            assert headed.status_code == got.status_code
            for name in ("content-type", "content-length"):
                assert headed.headers[name] == got.headers[name]

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/api/accounts/me/api_key", "text/plain; charset=UTF-8"),
            ("/api/accounts/me/provision", "application/json"),
            ("/api/accounts/{sip}/recover/1234", "application/json"),
            ("/provisioning/unknown", "application/xml"),
            ("/provisioning/auth_token/unknown", "application/xml"),
        ],
    )
    def test_head_has_the_media_type_of_get_and_does_not_tell_whether_a_secret_is_right(self, http, alice, path, kind):
        answer = http.head(path.format(sip=alice.sip), headers=alice.headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("verb", ["activate", "deactivate", "provision"])
    def test_head_of_an_account_that_is_not_there(self, server, http, admin, verb):
        elsewhere = server.person(domain="other.example.org")
        for account, status in ((admin.id, 200), (999_999, 404), (elsewhere.id, 404)):
            path = f"/api/accounts/{account}/{verb}"
            assert http.head(path, headers=admin.headers).status_code == status
        assert server.account(admin.id).provisioning_token is None

    def test_head_consumes_nothing(self, server, http, alice):
        token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
        for path in ("/api/accounts/me/api_key", "/api/accounts/me/provision", f"/provisioning/{token}"):
            assert http.head(path, headers=alice.headers).status_code == 200
        assert server.account(alice.id).provisioning_token == token
        assert "ha1" in http.get(f"/provisioning/{token}").text


@pytest.mark.skipif(KIND == "tornado", reason="Tornado's server leaves absolute targets to the application")
class TestAbsoluteTargets:
    """RFC 9112, 3.2.2: a server must accept `GET http://host/path`, whatever its `Host` header says."""

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("http://x{}", 200),
            ("HTTP://x:8080{}", 200),
            ("https://user@x{}", 400),
            ("http://x{}/?a=http://y", 200),
            ("http://x/nothing", 404),
            ("http://x", 404),
            ("http://x?a=b", 404),
            ("http://{}", 400),
            ("ftp://x{}", 400),
            ("/x://y{}", 404),
        ],
    )
    def test_a_target_with_scheme_and_host(self, server, target, status):
        assert raw(server, f"GET {target.format(PING)} HTTP/1.1")[0] == status

    def test_digest_is_about_the_path(self, server, alice):
        me = f"{server.url}/api/accounts/me"
        challenged = dict(raw(server, f"GET {me} HTTP/1.1", f"From: sip:{alice.sip}")[1])
        nonce = re.search(r'nonce="([^"]+)"', challenged["Www-Authenticate"])[1]
        lines = [f"{name}: {value}" for name, value in answering(alice, nonce, 1, "SHA-256").items()]
        assert raw(server, f"GET {me} HTTP/1.1", *lines)[0] == 200

    @pytest.mark.parametrize("configure", [{"spaces": {"b.example.org": {"name": "Bee"}}}])
    def test_the_host_of_the_target_is_the_one_that_is_asked(self, server):
        info = "/api/accounts/nobody@b.example.org/info"
        server.person("bob.builder", domain="b.example.org")
        info = "/api/accounts/bob.builder@b.example.org/info"
        assert raw(server, f"GET {info} HTTP/1.1")[0] == 404
        assert raw(server, f"GET http://b.example.org{info} HTTP/1.1")[0] == 200


class Large(Endpoint):
    """An endpoint to which vCards are sent."""

    path = "/large"
    body_share = 3

    @endpoint(Access.PUBLIC)
    async def put(self) -> dict[str, int]:
        """Return the size of the body."""
        return {"size": len(self.request.body)}


class TestLimits:
    def test_an_upload_may_have_three_times_as_much(self, server, http, monkeypatch):
        monkeypatch.setattr(Routes, "find", lambda _, path: (Large, {}))
        server.declared.surprises.clear()
        for size, status in ((192 * 1024, 200), (192 * 1024 + 1, 413)):
            assert http.put("/large", content=b"x" * size).status_code == status

    @pytest.mark.parametrize("size", [64 * 1024 + 1, 3 * 1024 * 1024])
    def test_a_body_that_is_too_large(self, http, server, size):
        headers = {"Content-Type": "application/json"}
        for content in (b"x" * size, iter([b"x" * 4096] * (size // 4096 + 1))):
            answer = http.post("/api/accounts/public", content=content, headers=headers)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["message"]

    @pytest.mark.parametrize("verb", ["POST", "PUT", "OPTIONS", "BREW", "DELETE"])
    @pytest.mark.parametrize("path", ["/api/nothing", "/api/accounts/me", "/api/accounts/public", "/provisioning"])
    def test_a_body_that_is_too_large_comes_before_path_and_method(self, server, verb, path):
        size = 64 * 1024 + 1
        status, headers, _ = raw(server, f"{verb} {path} HTTP/1.1", f"Content-Length: {size}", body=b"x" * size)
        assert status == 413
        assert ("Content-Type", "application/json") in headers

    @pytest.mark.parametrize("verb", ["GET", "POST", "BREW", "OPTIONS"])
    def test_an_unknown_path_comes_before_the_method(self, server, verb):
        assert raw(server, f"{verb} /api/nothing HTTP/1.1")[0] == 404

    def test_a_body_of_64_kibibytes_is_read(self, http):
        content = json.dumps({"username": "x" * (64 * 1024 - 16)}).encode()
        assert len(content) <= 64 * 1024
        answer = http.post("/api/accounts/public", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422

    def test_nobody_can_claim_a_body_to_be_too_large(self, http):
        assert http.get(PING, headers={"X-Body-Too-Large": "1"}).status_code == 200

    @pytest.mark.parametrize("configure", [{"limits": {"requests_per_minute": 3}}])
    def test_requests_are_counted_per_address(self, server, http, monkeypatch):
        now = time.time() // 60 * 60 + 17
        monkeypatch.setattr(throttle, "time", types.SimpleNamespace(time=lambda: now))
        for left in (2, 1, 0):
            answer = http.get(PING) if left else http.get("/api/accounts/me")
            assert answer.headers["x-ratelimit-limit"] == "3"
            assert answer.headers["x-ratelimit-remaining"] == str(left)
            assert http.get("/api/nothing").status_code == 404
        answer = http.get("/api/accounts/me")
        assert answer.status_code == 429
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.headers["retry-after"] == "43"
        assert int(answer.headers["x-ratelimit-reset"]) > 1_600_000_000
        assert answer.json()["message"]

    def test_no_limit_no_headers(self, http):
        assert "x-ratelimit-limit" not in http.get(PING).headers

    @pytest.mark.parametrize("configure", [{"server": {"maintenance": True}}])
    def test_maintenance(self, http, alice):
        for answer in (http.get(PING), http.get("/api/accounts/me"), http.post("/api/accounts/public", json={})):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["retry-after"]
        for path in (PING, "/api/nothing", "/api/accounts/me", "/api/messages", "/provisioning", "/metrics"):
            for verb in ("GET", "PUT", "HEAD", "OPTIONS", "BREW"):
                assert http.request(verb, path).status_code == 503, (verb, path)
        assert http.head("/api/accounts/me/provision", headers=alice.headers).status_code == 503


class TestHeaders:
    def test_every_answer_has_a_request_id_of_its_own(self, server, http):
        ids = {http.get(path).headers["x-request-id"] for path in (PING, PING, "/api/nothing", "/api/accounts/me")}
        assert len(ids) == 4
        assert all(len(one) == 16 for one in ids)

    def test_a_request_id_of_strangers_does_not_count(self, http):
        assert http.get(PING, headers={"X-Request-Id": "mine"}).headers["x-request-id"] != "mine"

    @pytest.mark.parametrize("configure", [{"server": {"trusted_proxies": ["127.0.0.1"]}}])
    def test_a_request_id_of_a_front_server_counts(self, server, http):
        assert http.get(PING, headers={"X-Request-Id": "of-the-front"}).headers["x-request-id"] == "of-the-front"
        assert http.get(PING, headers={"X-Request-Id": "x" * 129}).headers["x-request-id"] != "x" * 129

    def test_answers_are_not_to_be_stored(self, server, http, alice):
        plain = http.get("/api/accounts/me", headers=alice.headers)
        secret = http.get("/api/accounts/me/provision", headers=alice.headers)
        assert plain.headers["cache-control"] == "no-cache, private"
        assert secret.headers["cache-control"] == "no-store"
        assert http.get("/api/accounts/me/provision").headers["cache-control"] == "no-store"
        admin = server.person(admin_since=server.clock.second())
        for verb in ("activate", "deactivate"):
            for method in ("GET", "POST", "HEAD"):
                answer = http.request(method, f"/api/accounts/{alice.id}/{verb}", headers=admin.headers)
                assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert plain.headers["x-content-type-options"] == "nosniff"
        assert "etag" not in plain.headers

    @pytest.mark.parametrize("configure", [{"server": {"cors_origins": ["https://panel.example.org"]}}, {}])
    def test_other_origins_only_when_they_are_listed(self, http, configure):
        headers = {"Origin": "https://panel.example.org"}
        for answer in (http.get(PING, headers=headers), http.options(PING, headers=headers)):
            expected = "https://panel.example.org" if configure else None
            assert answer.headers.get("access-control-allow-origin") == expected
        assert "access-control-allow-origin" not in http.get(PING, headers={"Origin": "https://evil.example"}).headers
        assert ("access-control-allow-headers" in http.options(PING, headers=headers).headers) == bool(configure)

    def test_the_access_log_has_templates_and_no_uris(self, server, http, alice):
        http.get("/provisioning/verySecretToken?reset_password=alsoSecret", headers={"X-Linphone-Provisioning": "1"})
        http.get("/api/accounts/me/api_key/otherSecretToken")
        answer = http.get("/api/accounts/me", headers=alice.headers)
        wait_for(lambda: f"id={answer.headers['x-request-id']}" in server.log.getvalue())
        log = server.log.getvalue()
        assert "route=/provisioning/{provisioning_token} status=200" in log
        assert "route=/api/accounts/me/api_key/{auth_token} status=404" in log
        assert f"id={answer.headers['x-request-id']}" in log
        assert "ecret" not in log


def test_routing_comes_before_sign_in_and_sign_in_before_validation(http, alice):
    assert http.post("/api/accounts/nothing/at/all").status_code == 404
    assert http.put("/api/accounts/me").status_code == 405
    headers = {"From": f"sip:{alice.sip}", "Content-Type": "application/json"}
    assert http.post("/api/accounts", content=b"{", headers=headers).status_code == 401
    assert http.post("/api/accounts", content=b"{", headers=alice.headers).status_code == 403


@pytest.mark.parametrize("configure", [{"app": {"dangerous_endpoints": False}}])
def test_a_switch_comes_before_validation(http):
    assert http.post("/api/accounts/public", json={}).status_code == 404
    assert http.post("/api/accounts/recover-by-phone", json={}).status_code == 404


class TestMalformedBaseFile:
    """Half a configuration would be worse than none, so a phone is told to try again: on all four documents."""

    @pytest.fixture
    def configure(self, tmp_path):
        file = tmp_path / "base.rc"
        file.write_text("no section = here\n")
        return {"account": {"provisioning_rc_file": str(file)}}

    def test_it_is_a_declared_failure(self, server, http, alice):
        server.expect_errors("base.rc|provisioning")
        auth_token = http.post("/api/accounts/auth_token").json()["token"]
        assert http.get(f"/api/accounts/auth_token/{auth_token}/attach", headers=alice.headers).status_code == 200
        for path in ("", "/unknown", "/me", f"/auth_token/{auth_token}"):
            answer = http.get(f"/provisioning{path}", headers=alice.headers)
            assert (answer.status_code, answer.json()["message"]) == (500, ProvisioningFailed.message)
            assert answer.headers["cache-control"] == "no-store"
