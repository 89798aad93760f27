"""config/nginx.conf and config/haproxy.cfg before a running server: TLS, sign-in, who is believed, what is logged."""

import contextlib
import socket
import ssl

import httpx
import pytest

from tests.kit.front_servers import CONFIG, NAME, await_answer, haproxy, nginx, started
from tests.kit.ports import free_port
from tests.kit.voicemail import CONTENT_TYPE, announce, form, wav

UNKNOWN = ("/METRICS", "/sip//auth", "/x/../metrics", "/sip%2Fauth", "/health")
PRIVATE = (
    "/metrics",
    "//metrics",
    "///metrics//",
    "/metrics/",
    "/metrics?a=b",
    "/%6detrics",
    "/%6D%65trics/",
    "/sip/auth?username=alice",
    "/sip/auth/",
    "//sip/auth",
    "/sip/%61uth",
    "/health/live",
    "/health/ready",
    "//health/ready/",
    "/%68ealth/ready",
    *UNKNOWN,
)


@pytest.fixture
def configure():
    return {
        "server": {"trusted_proxies": ["127.0.0.1"]},
        "app": {"url": f"https://{NAME}", "key": "k" * 40},
        "flexisip": {"external_auth": True},
    }


@pytest.fixture(params=[nginx, haproxy])
def front(request, server, tmp_path):
    with started(request.param, int(server.url.rpartition(":")[2]), tmp_path) as found:
        await_answer(found, 200)
        yield found


def test_front_server(front, server, alice):
    ping = front.client.get("/api/ping")
    assert ping.http_version == "HTTP/2"
    assert "strict-transport-security" in ping.headers

    me = front.client.get("/api/accounts/me?x=%41", **alice.digest)
    assert me.json()["username"] == alice.account.username

    spoofed = {"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "forged"}
    body = {
        "username": "bob.builder",
        "password": "correct-horse",
        "algorithm": "MD5",
        "account_creation_token": server.creation_token(),
    }
    created = front.client.post("/api/accounts/with-account-creation-token", json=body, headers=spoofed)
    assert created.json()["ip_address"] == "127.0.0.2"
    assert created.headers["x-request-id"] != "forged"

    key = front.client.get("/api/accounts/me/api_key", **alice.digest)
    assert "secure" in key.headers["set-cookie"].lower()

    assert front.client.request("TRACE", "/api/ping").status_code == 405
    for private in PRIVATE:
        target = front.client.build_request("GET", "/", extensions={"target": private.encode()})
        assert front.client.send(target).status_code == 404, private
        # Those that the server itself would answer are no mere unknown paths.
        open_here = server.http.send(server.http.build_request("GET", "/", extensions={"target": private.encode()}))
        assert (open_here.status_code == 404) == (private in UNKNOWN), private


def test_a_voicemail_passes_as_flexisip_sends_it(front, server, alice):
    slot = announce(server, alice).json()
    path = "/api/files/" + slot["upload_url"].rpartition("/")[2]
    sound = wav(2 * 1024 * 1024)  # more than any other body may have
    answer = front.client.post(path, content=form(sound), headers={"Content-Type": CONTENT_TYPE})
    assert (answer.status_code, answer.json()["size"]) == (200, len(sound))
    (voicemail,) = server.http.get("/api/accounts/me/voicemails", headers=alice.headers).json()
    played = "/f/" + voicemail["download_url"].partition("/f/")[2]
    assert front.client.get(played).content == sound
    assert front.client.get(played, headers={"Range": "bytes=-5"}).content == sound[-5:]


def test_no_path_is_logged(front, server, alice):
    token = front.client.get("/api/accounts/me/provision", **alice.digest).json()["provisioning_token"]
    assert "ha1" in front.client.get(f"/provisioning/{token}").text
    front.process.terminate()
    front.process.wait(20)
    assert token not in front.log
    assert "/provisioning" not in front.log


@pytest.mark.parametrize("kind", [nginx, haproxy])
def test_no_path_is_logged_while_the_server_is_down(kind, tmp_path):
    secret = "7Ma0JzRtWg3kP"
    with started(kind, free_port(), tmp_path) as front:
        await_answer(front, 502, 503)
        for path in (f"/provisioning/{secret}", f"/api/accounts/me/api_key/{secret}"):
            assert front.client.get(path).status_code in (502, 503)
        long = f"GET /{'x' * 20_000}{secret} HTTP/1.1"
        for line in (f"GET /provisioning/{secret} x y", f"GET /provisioning/{secret}\x01 HTTP/1.1", long):
            send_raw(front, line)
        front.process.terminate()
        front.process.wait(20)
        assert secret not in front.log
        assert "/provisioning" not in front.log
        assert "127.0.0.2" in front.log  # that the server was down is logged


@pytest.mark.parametrize("kind", [nginx, haproxy])
def test_phones_get_no_page_for_their_list_of_contacts_while_the_server_is_down(kind, tmp_path):
    with started(kind, free_port(), tmp_path) as front:
        await_answer(front, 502, 503)
        for path in ("/contacts/vcard", "/contacts/vcard/sip:bob@sip.example.org"):
            try:
                answer = front.client.get(path)
            except httpx.RemoteProtocolError:  # closed without an answer
                continue
            assert (answer.status_code, answer.content) == (503, b""), path


def send_raw(front, line):
    """Send what is no HTTP, and read what is answered."""
    context = ssl._create_unverified_context()
    address = (front.client.base_url.host, front.client.base_url.port)
    connection = socket.create_connection(address, timeout=30)
    with context.wrap_socket(connection, server_hostname=NAME) as secured, contextlib.suppress(OSError):
        secured.sendall(f"{line}\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        while secured.recv(65536):
            pass


def test_the_image_asks_whether_the_server_is_ready():
    assert "/health/ready'" in (CONFIG.parent / "Dockerfile").read_text().partition("HEALTHCHECK")[2]
    assert "option httpchk GET /health/ready" in (CONFIG / "haproxy.cfg").read_text()
