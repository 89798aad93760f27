"""Whatever is sent to whatever endpoint: an answer as declared, never a 500, and the faulty field is named."""

import http.client
import json
import socket
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexiapi.api.sign_up import SignUp
from flexiapi.model import Action, DtmfProtocol
from flexiapi.server.routes import ENDPOINTS
from flexiapi.web.openapi import document_of
from flexiapi.web.operation import Access
from flexiapi.web.parameters import read
from tests.kit.server import WITHOUT_LIMITS, serving

DOCUMENT = document_of(ENDPOINTS, "")
OPERATIONS = [
    (handler.path, verb, operation)
    for handler in ENDPOINTS
    for verb, operation in handler.operations.items()
    if not operation.hidden
]
LIMIT = 64 * 1024
IN_QUERY = ("get", "delete")

# Parameters that are objects, of which some may be empty.
LISTS_THAT_MAY_BE_EMPTY = {"/api/invitations": ("types", "contacts_lists")}
OBJECTS = {"/api/stats/messages": {"to"}, "/api/stats/calls": {"devices"}}
OBJECTS |= {path.replace("stats", "statistics"): names for path, names in OBJECTS.items()}

# No text, number or boolean: right for no parameter of the API.
NO_SCALARS = [
    {},
    [],
    [None],
    ["alice.martin"],
    {"$ne": None},
    {"$gt": ""},
    {"$where": "sleep(1000)"},
    [{"$regex": ".*"}],
    {"a": {"b": {"c": [[[[{}]]]]}}},
]
SCALARS = [
    None,
    "",
    " \t\u200b\ufeff ",
    True,
    False,
    0,
    -1,
    1.5,
    -0.0,
    2**31,
    2**63,
    2**64,
    10**400,
    1e308,
    float("inf"),
    float("nan"),
    "\x00",
    "alice\x00martin",
    "alice\r\nSet-Cookie: a=b",
    "\x1b[2J\x7f\x85\u2028\u202e",
    "\ud800",
    "alice\udfff\ud83d",
    "\U0001f600" * 40,
    "e\u0301\ufdfa" * 20,
    "$ne",
    '{"$ne": null}',
    "{field} {0} %s %(field)s {{7*7}}",
    "a" * 70_000,
    "+" + "1" * 300,
    "@" * 500,
    "sip:" * 200,
    "a@" + "b." * 2000 + "c",
    "9" * 5000,
    "2040-02-31 00:00:00",
    "0000-00-00 00:00:00",
    "9999-12-31 23:59:59",
]
SEGMENTS = [
    "%00",
    "a%00b",
    "%2F",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "%ff%fe",
    "%C0%80",
    "%ED%A0%80",
    "%",
    "%zz",
    "a%0d%0ab",
    "%20",
    "+",
    "%2B",
    "%F0%9F%98%80",
    "%D9%A3",
    "x" * 255,
    "x" * 256,
    "x" * 300,
    "%41" * 300,
    "-1",
    "0",
    "1.5",
    "1e3",
    "007",
    "9" * 18,
    "9" * 19,
    "9" * 200,
    "true",
    "null",
    "%7B%22$ne%22:null%7D",
    "@",
    "a@b@c",
    "sip:",
    "sip:a@",
    "sips:%40b",
    "urn:uuid:",
    "{id}",
    "*",
    ";a=b",
    "a@[::1",
]
HEADERS = [
    ("From", value)
    for value in (
        b"sip:",
        b"sip:@",
        b"sip:a@b@c",
        b"sip:%00@example.org",
        b"sip:%ff@example.org",
        b"sip:\xff\xfe@example.org",
        b"sip:alice\xc3\xa9@example.org",
        b'"<" <sip:a@b',
        b"<<<<>>>>",
        b"sip:a@" + b"b" * 5000,
        b"sip:" + b"a" * 5000 + b"@b",
        b"tel:+33612345678",
        b"sip:a@b:99999999",
        b"sip:a@[::1]",
        b"sip:{%22$ne%22:null}@b",
    )
]
HEADERS += [
    (name, value)
    for name in ("X-Api-Key", "Cookie", "User-Agent", "X-Request-Id", "Sec-Purpose", "Origin", "X-Forwarded-For")
    for value in (b"\xff\xfe\x80", b"x-api-key=", b'x-api-key="\\777\\"', b"x-api-key=\xff;;;=", b"a" * 5000, b"{}")
]
AUTHORIZATIONS = [
    b"",
    b"Digest",
    b"Digest ,,,,",
    b'Digest username="',
    b"Basic YTpi",
    b"Digest \xff\xfe",
    b"Digest " + b"a=b," * 1000,
    b'Digest username="x", realm="x", nonce="x", uri="/", response="x"',
    b'Digest username="U", realm="R", nonce="\xff", uri="/", response="x", nc=00000001, cnonce="x", qop=auth',
    b'Digest username="U", realm="R", nonce="x", uri="/", response="\xff", nc=ffffffffffffffff, cnonce="x", qop=auth',
    b'Digest username="U", realm="R", nonce="x", uri="http://[", response="x", nc=-1, cnonce="x", qop=auth',
    b"Bearer x",
]


def named(operations):
    return [pytest.param(*one, id=f"{one[1]} {one[0]}") for one in operations]


class Prober:
    """Sends one request after another and checks that each answer is one that the document promises."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.sockets[0].getsockname()[1], timeout=60)
        self.type_id = server.run(server.services.accounts.types.add("phone", server.actor)).id
        self.renew()

    def renew(self):
        """People whom the requests before have not spoiled."""
        self.caller = self.server.person(admin_since=self.server.clock.second())
        self.other = self.server.person(dtmf_protocol=DtmfProtocol.SIPINFO, actions=(Action(1, "open", "1"),))

    def address(self, path, operation, **segments):
        known = {
            "id": self.other.id,
            "action_id": 1,
            "contact_id": self.other.id,
            "type_id": self.type_id,
            "sip": quote(self.other.sip),
        }
        for name, parameter in operation.path.items():
            value = segments.get(name, known.get(name, quote(parameter.segment.example, safe=":@+")))
            path = path.replace(f"{{{name}}}", str(value))
        return path

    def send(self, path, verb, operation, target, body=None, content_type="application/json"):
        """Returns the status and what the body says."""
        headers = {"Accept": "application/json", "User-Agent": "prober"}
        if operation.access is not Access.PUBLIC:
            headers |= self.caller.headers
        if body is not None:
            headers["Content-Type"] = content_type
        self.connection.request(verb.upper(), target, body, headers)
        response = self.connection.getresponse()
        return self.checked(path, verb, operation, response.status, response.getheader("Content-Type"), response.read())

    def checked(self, path, verb, operation, status, content_type, body):
        assert status != 500
        documented = DOCUMENT["paths"][path][verb]["responses"]
        assert str(status) in documented, f"{status} is not documented"
        assert body
        if status == operation.status:
            assert content_type in documented[str(status)]["content"]
            return status, body
        assert content_type == "application/json"
        told = json.loads(body)
        assert isinstance(told["message"], str)
        assert told["message"]
        if status == 422:
            assert told["errors"]
            assert all(texts and all(map(str, texts)) for texts in told["errors"].values())
        return status, told


@pytest.fixture(scope="module")
def prober(tmp_path_factory, mongod_uri):
    tables = {
        "limits": WITHOUT_LIMITS,
        "app": {"linphone_daemon_unix_path": str(tmp_path_factory.mktemp("nothing") / "socket")},
    }
    with serving(tables, tmp_path_factory.mktemp("data"), mongod_uri) as server:
        prober = Prober(server)
        yield prober
        prober.connection.close()


def examples_of(operation):
    """A valid set of parameters."""
    path, verb = next((path, verb) for path, verb, other in OPERATIONS if other is operation)
    described = DOCUMENT["paths"][path][verb]
    if verb in IN_QUERY:
        return {one["name"]: one["example"] for one in described["parameters"] if one.get("in") == "query"}
    return dict(described["requestBody"]["content"]["application/json"]["example"])


WITH_PARAMETERS = [one for one in OPERATIONS if one[2].params is not None]
WITH_BODY = [one for one in WITH_PARAMETERS if one[1] not in IN_QUERY]
WITH_PATH = [one for one in OPERATIONS if one[2].path]


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_BODY))
def test_bad_values_in_json(prober, path, verb, operation):
    prober.renew()
    for name in operation.params.model_fields:
        for value in NO_SCALARS:
            body = json.dumps({**examples_of(operation), name: value})
            status, told = prober.send(path, verb, operation, prober.address(path, operation), body)
            if isinstance(value, dict) and name in (*OBJECTS.get(path, ()), "dictionary"):
                continue
            if value == [] and name in LISTS_THAT_MAY_BE_EMPTY.get(path, ()):
                continue
            assert status == 422
            assert name in told["errors"]
        for value in SCALARS:
            body = json.dumps({**examples_of(operation), name: value})
            prober.send(path, verb, operation, prober.address(path, operation), body)


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_BODY))
def test_missing_parameters_are_named_in_the_order_of_the_declaration(prober, path, verb, operation):
    prober.renew()
    required = [name for name, field in operation.params.model_fields.items() if field.is_required()]
    for body in (None, "", "{}", json.dumps(dict.fromkeys(required)), json.dumps(dict.fromkeys(required, " "))):
        status, told = prober.send(path, verb, operation, prober.address(path, operation), body)
        if not required or body == json.dumps(dict.fromkeys(required, " ")):
            continue
        assert status == 422
        assert [name for name in told["errors"] if name in required] == required
        texts = [text for of_field in told["errors"].values() for text in of_field]
        assert told["message"].startswith(texts[0])
        more = len(texts) - 1
        assert told["message"][len(texts[0]) :] == (
            f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        )


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_BODY))
def test_bad_bodies(prober, path, verb, operation):
    prober.renew()
    target = prober.address(path, operation)
    name = next(iter(operation.params.model_fields))
    for body in (
        b"\xff",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"\x00",
        b'{"' + name.encode() + b'": "\xff\xfe"}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"a": NaN}',
        b'{"a": [-Infinity]}',
        b"\xef\xbb\xbf{",
        "{}".encode("utf-16"),
    ):
        assert prober.send(path, verb, operation, target, body)[0] == 400, body[:20]
    for body in (b'{"\\ud800": 1}', b'{"\\ud800": "x"}', b'{"": {}}', b'{"$ne": null}', b" \r\n"):
        assert prober.send(path, verb, operation, target, body)[0] != 400, body
    for number in (b"9" * 10_000, b"-" + b"9" * 10_000, b"1e999", b"0." + b"9" * 10_000):
        valid = json.dumps(examples_of(operation)).encode()
        assert prober.send(path, verb, operation, target, b'{"a": ' + number + b", " + valid[1:])[0] != 400
        told = prober.send(path, verb, operation, target, valid[:-1] + b', "' + name.encode() + b'": ' + number + b"}")
        assert told[0] == 422
        assert name in told[1]["errors"]
    share = next(one.body_share for one in ENDPOINTS if one.path == path)
    huge = json.dumps({**examples_of(operation), name: "x" * LIMIT * share})
    assert prober.send(path, verb, operation, target, huge)[0] == 413
    large = json.dumps({**examples_of(operation), name: "x" * (LIMIT - 4096)})
    status, told = prober.send(path, verb, operation, target, large)
    assert status == 404 or name in told["errors"]


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_BODY))
def test_bad_forms(prober, path, verb, operation):
    prober.renew()
    target = prober.address(path, operation)
    form = "application/x-www-form-urlencoded"
    for name in operation.params.model_fields:
        others = {key: value for key, value in examples_of(operation).items() if key != name}
        status, told = prober.send(path, verb, operation, target, f"{urlencode(others)}&{name}=%ff%fe", form)
        assert status == 422
        assert name in told["errors"]
        for text in ("", "%00", "%", "=&=", "%ed%a0%80", "a" * 70_000):
            prober.send(path, verb, operation, target, f"{urlencode(others)}&{name}={text}", form)
    for body in (b"\xff\xfe=\xff", b"&" * 5000, b"a=b&" * 5000, b"=", b"%ff=%ff", b"\x00"):
        prober.send(path, verb, operation, target, body, form)
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
        "a/b+json; charset=x",
        "/",
        "é",
    ):
        prober.send(path, verb, operation, target, b"--x\r\nnonsense", kind.encode("latin-1"))


@pytest.mark.parametrize(("path", "verb", "operation"), named(one for one in WITH_PARAMETERS if one[1] in IN_QUERY))
def test_bad_values_in_the_query(prober, path, verb, operation):
    prober.renew()
    target = prober.address(path, operation)
    texts = [value for value in SCALARS if isinstance(value, str) and len(value) < 6000]
    queries = ["", "&&&", "=", "%ff", "a" * 9000, "%ff=%ff", "a=b&" * 200]
    for name in operation.params.model_fields:
        queries += [f"{name}={quote(text, errors='surrogatepass')}" for text in texts]
        queries += [name, f"{name}=%ff%fe", f"{name}[$ne]=", f"{name}={2**64}", f"{name}=-1", f"{name}=1&{name}=2"]
    for query in queries:
        prober.send(path, verb, operation, f"{target}?{query}")
    for name in operation.params.model_fields:
        for value in SCALARS + NO_SCALARS + ["a" * (LIMIT - 4096)]:
            prober.send(path, verb, operation, target, json.dumps({name: value}))


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_PATH))
def test_bad_paths(prober, path, verb, operation):
    prober.renew()
    body = json.dumps(examples_of(operation)) if operation.params and verb not in IN_QUERY else None
    for name in operation.path:
        for segment in SEGMENTS:
            status, _ = prober.send(path, verb, operation, prober.address(path, operation, **{name: segment}), body)
            if status == 401:
                prober.renew()


def raw(server, head, body=b""):
    """Sends bytes and returns the whole answer."""
    with socket.create_connection(server.sockets[0].getsockname(), timeout=60) as connection:
        connection.sendall(head + b"Host: x\r\nConnection: close\r\n\r\n" + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("path", ["/api/accounts/me", "/api/accounts", "/api/accounts/public", "/provisioning/me"])
def test_odd_headers(prober, path):
    server = prober.server
    for name, value in HEADERS:
        for method in (b"GET", b"POST"):
            answer = raw(
                server, method + b" " + path.encode() + b" HTTP/1.1\r\n" + name.encode() + b": " + value + b"\r\n"
            )
            status = int(answer.split(b" ", 2)[1])
            assert 400 <= status < 500, (name, value)
            if answer != b"HTTP/1.1 400 Bad Request\r\n\r\n":
                assert b"\r\nContent-Type: application/json\r\n" in answer


@pytest.mark.parametrize("value", AUTHORIZATIONS)
def test_odd_authorizations_are_challenged(prober, value):
    sip, realm = prober.other.sip, prober.other.account.domain
    value = value.replace(b"U", prober.other.account.username.encode()).replace(b"R", realm.encode())
    head = f"GET /api/accounts/me HTTP/1.1\r\nFrom: sip:{sip}\r\n".encode() + b"Authorization: " + value + b"\r\n"
    answer = raw(prober.server, head)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nWww-Authenticate: Digest " in answer
    assert b"\r\nContent-Type: application/json\r\n" in answer


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=40)
    | st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_BODY))
@settings(max_examples=15)
@given(data=st.data())
def test_any_json(prober, path, verb, operation, data):
    names = st.sampled_from([*operation.params.model_fields, *operation.params.aliases])
    body = data.draw(st.dictionaries(names | st.text(max_size=10), JSON, max_size=6))
    body = {**(examples_of(operation) if data.draw(st.booleans()) else {}), **body}
    status, _ = prober.send(path, verb, operation, prober.address(path, operation), json.dumps(body))
    if status == 401:
        prober.renew()


@pytest.mark.parametrize(("path", "verb", "operation"), named(WITH_PATH))
@settings(max_examples=10)
@given(data=st.data())
def test_any_path(prober, path, verb, operation, data):
    text = st.text(st.characters(exclude_categories=()), min_size=1, max_size=30)
    raw_text = st.text(string.ascii_letters + string.digits + "%@:+.-_~!$&'()*,;=", min_size=1, max_size=30)
    name = data.draw(st.sampled_from(sorted(operation.path)))
    segment = data.draw(text.map(lambda value: quote(value, safe="", errors="surrogatepass")) | raw_text)
    target = prober.address(path, operation, **{name: segment})
    body = json.dumps(examples_of(operation)) if operation.params and verb not in IN_QUERY else None
    prober.connection.request(verb.upper(), target, body, prober.caller.headers)
    response = prober.connection.getresponse()
    response.read()
    assert response.status < 500 or response.status == 503
    if response.status == 401:
        prober.renew()


def test_trimming_costs_no_more_than_the_length():
    """Time that grew with the square of it would run into the time limit of the test."""
    mixed = " \u200b" * 1_000_000
    body = json.dumps({"username": f"{mixed}alice{mixed}"}).encode()
    raw, errors = read(SignUp, body, "application/json", "")
    assert (raw, errors) == ({"username": "alice"}, {})
