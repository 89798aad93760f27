"""Restarts under load: no accepted request is lost, on one host and in rolling restarts behind the front servers."""

import contextlib
import re
import ssl
import time
from pathlib import Path

import httpx
import pytest
import trustme

from flexiapi.observing import log
from tests.kit.ports import free_port
from tests.kit.programs import Program, binary_of
from tests.kit.restart_load import RestartLoad
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.faults

CONFIG = Path(__file__).parents[2] / "config"
NAME = "accounts.example.org"
FEW, MANY = 2, 20
# Seconds between the requests of a client that is to keep the server busy.
HARD = 0.002


def restart(server):
    assert server.stop() == 0
    server.launch()


def check_restarts(server, restarts, pause=0.03):
    with RestartLoad(server.port, "/api/ping", clients=21, pause=pause) as load:
        load.await_answers(3)
        for _ in range(restarts):
            restart(server)
            load.await_answers(3)
    assert not load.lost, load.failures
    log.info("restarts", answered=dict(load.answered), refused=dict(load.refused))


def test_a_restart_under_load_loses_no_accepted_request(serve, own_mongod):
    check_restarts(serve(SERVER_PROCESSES="2", MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_twenty_restarts_under_load_lose_no_accepted_request(serve, own_mongod, processes):
    server = serve(SERVER_PROCESSES=processes, MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40)
    check_restarts(server, MANY, HARD)


def haproxy(folder, ports, tls, certificate):
    text = (CONFIG / "haproxy.cfg").read_text()
    text = text.replace("bind :80\n", f"bind 127.0.0.1:{free_port()}\n").replace("bind :443", f"bind 127.0.0.1:{tls}")
    text = text.replace(f"/etc/haproxy/{NAME}.pem", str(certificate))
    for example, port in zip(("192.0.2.11:8080", "192.0.2.12:8080"), ports, strict=True):
        assert example in text
        text = text.replace(example, f"127.0.0.1:{port}")
    (folder / "haproxy.cfg").write_text(text)
    return [binary_of("haproxy"), "-db", "-f", f"{folder}/haproxy.cfg"]


def nginx(folder, ports, tls, certificate):
    text = (CONFIG / "nginx.conf").read_text()
    text = re.sub(r"listen \[::\]:\d+[^;]*;", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace(
        "listen 443", f"listen 127.0.0.1:{tls}"
    )
    text = re.sub(r"/etc/letsencrypt/live/[^;]*", str(certificate), text)
    assert "server 127.0.0.1:8080 fail_timeout=1s;" in text
    text = text.replace(
        "server 127.0.0.1:8080", "server 127.0.0.1:{} fail_timeout=1s; server 127.0.0.1:{}".format(*ports)
    )
    (folder / "site.conf").write_text(text)
    places = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{}} "
    whole += f"http {{ access_log off; {places} include {folder}/site.conf; }}"
    (folder / "nginx.conf").write_text(whole)
    return [binary_of("nginx"), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


class Front:
    """A front server of these hosts, run by the example in `config/`."""

    def __init__(self, command, folder, servers, authority):
        self.tls, self.log = free_port(), folder / "front.log"
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        certificate = folder / "certificate.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        self._is_nginx = command is nginx
        run = command(folder, [server.port for server in servers], self.tls, certificate)
        self.program = Program.start(run, self.log)

    def load(self, pause):
        return RestartLoad(self.tls, "/api/ping", clients=12, pause=pause, tls=self.context, Host=NAME)

    def has_back(self, name):
        """Return whether HAProxy sends requests to the host again. The example of nginx does so after a second."""
        if self._is_nginx:
            time.sleep(2)
        states = [line for line in self.program.log.splitlines() if f"Server flexiapi/{name} is " in line]
        return not states or "is UP" in states[-1]


@pytest.fixture
def hosts(serve, own_mongod):
    """Two servers of one installation."""
    common = {
        "SERVER_PROCESSES": "2",
        "MONGODB_URI": own_mongod.uri,
        "APP_KEY": "k" * 40,
        "SERVER_TRUSTED_PROXIES": "127.0.0.1",
    }
    return [serve(name, **common) for name in ("one", "two")]


@pytest.fixture
def fronts(hosts, tmp_path):
    """Both front servers, each before both hosts."""
    authority, started = trustme.CA(), []
    for command in (haproxy, nginx):
        folder = tmp_path / command.__name__
        folder.mkdir()
        started.append(Front(command, folder, hosts, authority))
    for front in started:
        front.program.wait(lambda: answers(front.tls, front.context))  # noqa: B023  # called in this turn
    yield started
    for front in started:
        front.program.stop()


def answers(port, context):
    try:
        return (
            httpx.get(f"https://127.0.0.1:{port}/api/ping", headers={"Host": NAME}, verify=context).status_code == 200
        )
    except httpx.TransportError:
        return False


def check_rolling_restarts(hosts, fronts, rounds, pause=0.03):
    with contextlib.ExitStack() as stack:
        loads = [stack.enter_context(front.load(pause)) for front in fronts]
        await_answers(loads)
        for _ in range(rounds):
            for server in hosts:
                restart(server)
                wait_for(lambda: is_ready(server.url), 90)  # noqa: B023  # called in this turn
                for front in fronts:
                    wait_for(lambda: front.has_back(server.folder.name), 90)  # noqa: B023  # called in this turn
                await_answers(loads)
    for load in loads:
        assert not load.lost, load.failures
        log.info("restarts", answered=dict(load.answered), refused=dict(load.refused))


def await_answers(loads):
    for load in loads:
        load.await_answers(3)


def is_ready(url):
    try:
        return httpx.get(f"{url}/health/ready", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def test_a_rolling_restart_behind_front_servers_loses_no_request(hosts, fronts):
    check_rolling_restarts(hosts, fronts, 1)


@pytest.mark.slow
def test_ten_rolling_restarts_behind_front_servers_lose_no_request(hosts, fronts):
    check_rolling_restarts(hosts, fronts, 10, HARD)
