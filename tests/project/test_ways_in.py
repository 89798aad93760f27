"""The examples of docs/operations.md before a running server: HAProxy with PROXY headers, nginx and a unix socket."""

import contextlib
import re
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.kit.doors import LOOPBACK
from tests.kit.ports import free_port
from tests.kit.programs import Program, binary_of
from tests.kit.side_doors import SideDoor
from tests.project import test_front_servers

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

GENERAL = """global
    log stdout format raw local0
defaults
    log global
    option log-health-checks
    timeout connect 30s
    timeout client 60s
    timeout server 60s
"""


def example(language):
    [found] = [content for of, content in BLOCK.findall(OPERATIONS) if of == language]
    return found


def replaced(text, *pairs):
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.fixture
def configure():
    return {
        "server": {"trusted_proxies": ["unix"]},
        "app": {"url": "https://accounts.example.org"},
        "metrics": {"networks": ["127.0.0.1"]},
    }


def made_from(client, server):
    """The address that an account has on record as that of its creation."""
    body = {"username": "bob.builder", "password": "correct-horse", "algorithm": "MD5"}
    body["account_creation_token"] = server.creation_token()
    return client.post("/api/accounts/with-account-creation-token", json=body).json()["ip_address"]


def test_haproxy_passes_tls_on_and_names_the_client(server, authority, folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate_file, authority.key_file)
    port = free_port()
    with contextlib.ExitStack() as stack:
        door = SideDoor(server, tls=context, proxy_protocol=LOOPBACK)
        stack.callback(door.close)
        text = replaced(
            example("haproxy"),
            ("bind :443", f"bind 127.0.0.1:{port}"),
            ("192.0.2.11:8443", f"127.0.0.1:{door.address[1]}"),
            ("    server two 192.0.2.12:8443\n", ""),
        )
        (folder / "haproxy.cfg").write_text(GENERAL + text)
        haproxy = Program.start([binary_of("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")], folder / "log")
        stack.callback(haproxy.stop)
        trusting = ssl.create_default_context(cafile=authority.ca_file)
        transport = httpx.HTTPTransport(verify=trusting, local_address="127.0.0.2")
        client = stack.enter_context(
            httpx.Client(base_url=f"https://127.0.0.1:{port}", transport=transport, timeout=60)
        )
        haproxy.wait(lambda: answers(client))
        assert made_from(client, server) == "127.0.0.2"
        assert client.get("/metrics").status_code == 404
        assert server.http.get("/metrics").status_code == 200
        # Its checks begin with a header of the command LOCAL.
        haproxy.wait(lambda: "flexiapi/one succeeded, reason: Layer7 check passed" in haproxy.log)


def answers(client):
    try:
        return client.get("/api/ping").text == "pong"
    except httpx.TransportError:
        return False


def test_nginx_names_the_client_on_a_unix_socket(server, folder, tmp_path):
    path = folder / "http.sock"
    door = SideDoor(server, path)
    # The workers of nginx have another user.
    folder.chmod(0o755)
    path.chmod(0o666)
    listed = replaced(example("nginx").strip(), ("unix:/run/flexiapi/http.sock", f"unix:{path}"))

    def nginx(*arguments):
        command = test_front_servers.nginx(*arguments)
        site = arguments[0] / "site.conf"
        site.write_text(replaced(site.read_text(), ("server 127.0.0.1:1 fail_timeout=1s;", listed)))
        return command

    try:
        with test_front_servers.started(nginx, 1, tmp_path) as front:
            test_front_servers.await_answer(front, 200)
            assert made_from(front.client, server) == "127.0.0.2"
            assert door.ask("/metrics").status == 200
            assert door.ask("/metrics", X_Forwarded_For="127.0.0.2").status == 404
    finally:
        door.close()


def test_the_hook_of_certbot_is_a_script():
    subprocess.run(["sh", "-n"], input=example("sh"), text=True, check=True)
