"""The clients' addresses and schemes as endpoints see them: unix sockets, PROXY headers, and front servers."""

import contextlib
import json
import secrets
import ssl

import pytest

from tests.kit.doors import LOOPBACK, proxy_header
from tests.kit.server import WITHOUT_LIMITS, serving
from tests.kit.side_doors import SideDoor

LIMITS = {**WITHOUT_LIMITS, "requests_per_minute": 3, "exempt_networks": ["127.0.0.0/8"]}
SIP = {"external_auth": True}

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def strict(tmp_path_factory, mongod_uri):
    """A server that trusts no front server."""
    tables = {"limits": LIMITS, "flexisip": SIP}
    with serving(tables, tmp_path_factory.mktemp("strict"), mongod_uri) as server:
        yield server


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, mongod_uri):
    """A server that trusts what connects to its unix socket."""
    tables = {"server": {"trusted_proxies": ["unix"]}, "limits": LIMITS, "flexisip": SIP}
    with serving(tables, tmp_path_factory.mktemp("trusting"), mongod_uri) as server:
        yield server


@pytest.fixture
def door(folder):
    """Opens further sockets of a server."""
    with contextlib.ExitStack() as stack:

        def opened(server, name=None, **entrance):
            made = SideDoor(server, folder / name if name else None, **entrance)
            stack.callback(made.close)
            return made

        yield opened


def is_local(door, first=b"", **headers):
    """True if a client may read what is for this host only, and False if neither path is open to it."""
    metrics = door.ask("/metrics", first, **headers).status
    sip = door.ask("/sip/auth?username=x", first, **headers).status
    assert (metrics, sip) in ((200, 200), (404, 403))
    return metrics == 200


def made_from(door, server, first=b"", **headers):
    """The address that an account has on record as that of its creation."""
    body = {"username": f"user.{secrets.token_hex(6)}", "password": "correct-horse", "algorithm": "MD5"}
    body["account_creation_token"] = server.creation_token()
    headers["Content_Type"] = "application/json"
    path = "/api/accounts/with-account-creation-token"
    answer = door.ask(path, first, "POST", json.dumps(body), **headers)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)["ip_address"]


def test_a_process_of_this_host_on_the_unix_socket_is_where_loopback_is(door, strict):
    assert is_local(door(strict, "sock"))


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": ""},
        {"Forwarded": "for=127.0.0.1"},
        {"Forwarded": "for=unknown", "X_Forwarded_For": "127.0.0.1"},
    ],
)
def test_nobody_is_local_whom_an_unlisted_front_server_hides(door, strict, headers):
    assert not is_local(door(strict, "sock"), **headers)
    assert not is_local(door(strict), **headers)


@pytest.mark.parametrize("name", ["sock", None], ids=["unix", "TCP"])
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (proxy_header("192.0.2.7"), False),
        (proxy_header("2001:db8::7"), False),
        (proxy_header(), False),
        (proxy_header(family=0x31, extensions=b"/x".ljust(216, b"\0")), False),
        (proxy_header("127.0.0.1"), True),
        (proxy_header(command=0), True),
    ],
    ids=["IPv4", "IPv6", "unspecified", "unix", "loopback", "the front server itself"],
)
def test_a_proxy_header_tells_who_is_local(door, strict, name, header, expected):
    site = door(strict, name, proxy_protocol=("unix", *LOOPBACK))
    assert is_local(site, header) is expected


def test_a_proxy_header_names_the_client_and_forwarded_headers_of_the_client_do_not(door, strict, trusting):
    for server in (strict, trusting):
        site = door(server, f"{server is strict}", proxy_protocol=("unix",))
        header = proxy_header("192.0.2.7")
        assert made_from(site, server, header, X_Forwarded_For="203.0.113.9") == "192.0.2.7"
        assert not is_local(site, header, X_Forwarded_For="127.0.0.1")
        assert not is_local(site, proxy_header(), X_Forwarded_For="127.0.0.1")


def test_a_proxy_header_without_being_listed_is_malformed_http(door, strict):
    with door(strict).connected(proxy_header("127.0.0.1") + b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_listed_unix_socket_is_believed(door, trusting):
    site = door(trusting, "sock")
    assert is_local(site)
    assert made_from(site, trusting, X_Forwarded_For="127.0.0.1, 192.0.2.7") == "192.0.2.7"
    assert not is_local(site, X_Forwarded_For="127.0.0.1, 192.0.2.7")
    assert is_local(site, X_Forwarded_For="192.0.2.7, 127.0.0.1")
    assert site.ask("/api/ping", X_Request_Id="given").getheader("X-Request-Id") == "given"


@pytest.mark.parametrize("hop", ["", "unknown", "unix:", "unix", "_hidden", "127.0.0.1, unknown", "127.0.0.1,"])
def test_a_client_that_a_listed_front_server_does_not_name_is_not_local(door, trusting, hop):
    assert not is_local(door(trusting, "sock"), X_Forwarded_For=hop)


def test_a_listed_front_server_that_names_the_client_only_in_another_header_hides_it(door, trusting):
    assert not is_local(door(trusting, "sock"), Forwarded="for=127.0.0.1")


def test_the_word_for_the_unix_socket_is_none_for_addresses(door, trusting):
    site = door(trusting)
    assert not is_local(site, X_Forwarded_For="127.0.0.1")
    assert site.ask("/api/ping", X_Request_Id="forged").getheader("X-Request-Id") != "forged"


def test_a_process_of_this_host_is_exempt_where_loopback_is_and_hidden_clients_share_a_limit(door, strict):
    plain, behind = door(strict, "plain"), door(strict, "behind", proxy_protocol=("unix",))
    assert [plain.ask("/api/ping").status for _ in range(6)] == [200] * 6
    statuses = [behind.ask("/api/ping", proxy_header()).status for _ in range(8)]
    assert 429 in statuses
    statuses = [behind.ask("/api/ping", proxy_header(f"192.0.2.{number}")).status for number in range(8)]
    assert statuses == [200] * 8


def test_with_tls_cookies_are_for_tls_alone(door, strict, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate_file, authority.key_file)
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    site = door(strict, tls=context, trusting=trusting)
    for asked, expected in ((site, True), (door(strict), False)):
        answer = asked.ask("/api/accounts/me/api_key", **strict.person().headers)
        assert ("secure" in answer.getheader("Set-Cookie").lower()) is expected
