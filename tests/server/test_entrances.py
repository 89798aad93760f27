"""`flexiapi serve` with a certificate, on a unix socket, and out of file descriptors."""

import contextlib
import http.client
import os
import re
import resource
import signal
import socket
import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography import x509

from tests.kit.doors import proxy_header
from tests.kit.waiting import wait_for
from tests.server.test_processes import children_of

pytestmark = pytest.mark.faults


class Certificates:
    """The two files of a server, and what it shows of them."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        self._authority = trustme.CA()
        self.trusting = ssl.create_default_context()
        self._authority.configure_trust(self.trusting)

    @property
    def environment(self):
        return {"SERVER_CERTIFICATE": str(self.certificate), "SERVER_KEY": str(self.key)}

    def renew(self):
        """Write new ones, and return the serial number."""
        issued = self._authority.issue_cert("127.0.0.1", "localhost")
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        issued.private_key_pem.write_to_path(self.key)
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number

    def shown(self, server):
        """The serial number of the certificate that a new connection gets; 0 without a connection."""
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", server.port), 60) as raw,
            self.trusting.wrap_socket(raw, server_hostname="localhost") as secured,
        ):
            return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True)).serial_number
        return 0


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


@pytest.fixture
def started(serve, mongod_uri):
    """Starts a server with these variables, and returns it when it is ready."""

    def start(name="data", *, times=1, **environment):
        database = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": f"entrances_{os.getpid()}", "APP_KEY": "k" * 40}
        server = serve(name, wait=False, **{**database, **environment})
        wait_for(lambda: lines(server, " ready ") >= times or server.child.poll() is not None, 90)
        assert server.child.poll() is None, server.log.read_text()
        return server

    return start


def lines(server, text):
    return server.log.read_text().count(text)


def test_a_renewed_certificate_is_served_after_sighup_and_a_broken_one_is_not(started, certificates):
    first = certificates.renew()
    server = started(**certificates.environment)
    assert certificates.shown(server) == first
    answer = httpx.get(f"https://127.0.0.1:{server.port}/api/ping", verify=certificates.trusting, timeout=60)
    assert answer.text == "pong"
    assert "strict-transport-security" in answer.headers
    assert f"url=https://127.0.0.1:{server.port}" in server.log.read_text()

    certificates.certificate.write_text("nothing")
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: lines(server, "the settings are not read again"))
    assert "holds no certificate in PEM form" in server.log.read_text()
    assert certificates.shown(server) == first

    second = certificates.renew()
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: certificates.shown(server) == second)
    assert lines(server, "Traceback") == 0


def test_processes_that_replace_others_have_the_certificate_that_was_checked(started, certificates):
    first = certificates.renew()
    server = started(SERVER_PROCESSES="2", **certificates.environment)
    before = children_of(server.child.pid)
    certificates.key.write_text("nothing")
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: lines(server, "the settings are not read again"))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(children_of(server.child.pid)) - set(before)) == 2)
    wait_for(lambda: certificates.shown(server) == first)

    second = certificates.renew()
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: certificates.shown(server) == second)
    wait_for(lambda: len(children_of(server.child.pid)) == 2)
    assert {certificates.shown(server) for _ in range(10)} == {second}
    assert lines(server, "Traceback") == 0


def test_a_wrong_certificate_ends_the_start_with_the_reason(serve, certificates):
    certificates.renew()
    certificates.key.write_text("nothing")
    server = serve(wait=False, **certificates.environment)
    assert server.child.wait(60) == 1
    assert "server.key (SERVER_KEY)" in server.log.read_text()
    assert lines(server, "Traceback") == 0


def on_path(path, first=b""):
    """A connection to a unix socket, which begins with these bytes."""
    client = http.client.HTTPConnection("localhost", timeout=60)
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(60)
    client.sock.connect(str(path))
    client.sock.sendall(first)
    return client


def asked(path, target="/api/ping", first=b"", **headers):
    with contextlib.closing(on_path(path, first)) as client:
        client.request("GET", target, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.read()


def test_a_unix_socket_is_shared_reloaded_taken_over_and_removed(started, serve, folder):
    path = folder / "http.sock"
    environment = {"SERVER_ADDRESS": f"unix:{path}", "APP_URL": "https://a.example.org", "SERVER_PROCESSES": "2"}
    server = started(**environment)
    assert path.stat().st_mode & 0o777 == 0o660
    assert asked(path) == (200, b"pong")

    refused = serve("other", wait=False, **environment)
    assert refused.child.wait(60) == 1
    assert "another server answers there" in refused.log.read_text()

    before = children_of(server.child.pid)
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: not set(children_of(server.child.pid)) & set(before) and asked(path) == (200, b"pong"))

    server.kill()
    wait_for(lambda: not is_listening(path))
    assert path.exists()
    following = started("following", **environment | {"SERVER_PROCESSES": "1"})
    assert asked(path) == (200, b"pong")
    assert following.stop() == 0
    assert not path.exists()


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True


def test_a_server_behind_the_proxy_protocol_knows_its_clients(started, folder):
    path = folder / "http.sock"
    environment = {"SERVER_ADDRESS": f"unix:{path}", "APP_URL": "https://a.example.org", "LOG_FORMAT": "text"}
    server = started(**environment, SERVER_PROXY_PROTOCOL="unix")
    assert asked(path, first=proxy_header("192.0.2.7")) == (200, b"pong")
    wait_for(lambda: "ip=192.0.2.7" in server.log.read_text())
    assert asked(path, "/metrics", proxy_header("192.0.2.7"))[0] == 404
    assert asked(path, "/metrics", proxy_header(command=0))[0] == 200
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        asked(path)
    wait_for(lambda: lines(server, "sent no PROXY header") == 1)


def test_a_server_without_file_descriptors_serves_its_connections_and_says_so_once(started):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1000), hard))
    try:
        server = started(SERVER_CONNECTIONS="100000")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    pid = server.child.pid
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (min(hard, 1 << 20), hard)

    with httpx.Client(base_url=server.url, timeout=60) as kept, contextlib.ExitStack() as stack:
        assert kept.get("/api/ping").text == "pong"
        few = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 20
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, hard))
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        wait_for(lambda: kept.get("/api/ping").text == "pong" and lines(server, "connections wait"))
        for _ in range(20):
            assert kept.get("/api/ping").text == "pong"
        stack.close()
        assert httpx.get(f"{server.url}/api/ping", timeout=60).text == "pong"
    assert lines(server, "connections wait") == 1
    assert lines(server, "Traceback") == 0
    assert re.search(r"connections wait.* reason=\S*Too many open files", server.log.read_text())


def test_a_process_has_no_more_connections_than_configured(started):
    server = started(SERVER_CONNECTIONS="5")
    pid = server.child.pid
    count = sockets_of(pid)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        # The silent ones make room, one after the other.
        assert httpx.get(f"{server.url}/api/ping", timeout=60).text == "pong"
        assert sockets_of(pid) <= count + 6
    assert lines(server, "Traceback") == 0


def sockets_of(pid):
    found = 0
    for number in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(number.readlink()).startswith("socket:")
    return found
