"""Restarts under load: no accepted request is lost, on one host and in rolling restarts behind the front servers."""

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


@pytest.fixture(params=[haproxy, nginx], ids=["haproxy", "nginx"])
def hosts(request, serve, own_mongod, tmp_path):
    """Two servers of one installation behind a front server: the servers, its port, and what its clients trust."""
    common = {
        "SERVER_PROCESSES": "2",
        "MONGODB_URI": own_mongod.uri,
        "APP_KEY": "k" * 40,
        "SERVER_TRUSTED_PROXIES": "127.0.0.1",
    }
    servers = [serve(name, **common) for name in ("one", "two")]
    authority, certificate, tls = trustme.CA(), tmp_path / "certificate.pem", free_port()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    command = request.param(tmp_path, [server.port for server in servers], tls, certificate)
    front = Program.start(command, tmp_path / "front.log")
    front.wait(lambda: answers(tls, context))
    yield servers, tls, context, lambda name: is_back(front, name)
    front.stop()


def is_back(front, name):
    """Return whether HAProxy sends requests to the host again. The example of nginx does so after a second."""
    if "nginx" in str(front.process.args[0]):
        time.sleep(2)
    states = [line for line in front.log.splitlines() if f"Server flexiapi/{name} is " in line]
    return not states or "is UP" in states[-1]


def answers(port, context):
    try:
        return (
            httpx.get(f"https://127.0.0.1:{port}/api/ping", headers={"Host": NAME}, verify=context).status_code == 200
        )
    except httpx.TransportError:
        return False


def check_rolling_restarts(hosts, rounds, pause=0.03):
    servers, tls, context, has_back = hosts
    with RestartLoad(tls, "/api/ping", clients=12, pause=pause, tls=context, Host=NAME) as load:
        load.await_answers(3)
        for _ in range(rounds):
            for server in servers:
                restart(server)
                wait_for(lambda: is_ready(server.url), 90)  # noqa: B023  # called in this turn
                wait_for(lambda: has_back(server.folder.name), 90)  # noqa: B023  # called in this turn
                load.await_answers(3)
    assert not load.lost, load.failures
    log.info("restarts", answered=dict(load.answered), refused=dict(load.refused))


def is_ready(url):
    try:
        return httpx.get(f"{url}/health/ready", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def test_a_rolling_restart_behind_a_front_server_loses_no_request(hosts):
    check_rolling_restarts(hosts, 1)


@pytest.mark.slow
def test_ten_rolling_restarts_behind_a_front_server_lose_no_request(hosts):
    check_rolling_restarts(hosts, 10, HARD)
