"""Several server processes: one socket, shared limits, a dead one is replaced, all end with the parent."""

import contextlib
import os
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from flexiapi.server import supervision
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.faults


def children_of(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split() if b"\0worker\0" in command_of(child)]


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def test_the_processes_share_the_general_limit(serve):
    server = serve(SERVER_PROCESSES="3", LIMITS_REQUESTS_PER_MINUTE="40")
    wait_for(lambda: len(children_of(server.child.pid)) == 3)
    # Each call is a connection of its own, so that all processes get some; the window may end once meanwhile.
    answers = [httpx.get(f"{server.url}/api/accounts/me", verify=False, timeout=30) for _ in range(100)]
    statuses = [answer.status_code for answer in answers]
    assert 429 in statuses
    limited = answers[statuses.index(429)]
    assert 0 < int(limited.headers["retry-after"]) <= 60
    assert limited.headers["x-ratelimit-limit"] == "40"
    assert statuses.count(422) <= 80


def test_a_process_that_hangs_before_it_has_begun_is_noticed_and_has_more_time(monkeypatch):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    child = supervision.ServerChild(None, reader)
    child.listen()
    assert not child.hangs(0)
    monkeypatch.setattr(supervision, "_BEGIN_SECONDS", 0)
    wait_for(lambda: child.hangs(0))
    monkeypatch.undo()
    os.write(writer, supervision.ALIVE)
    child.listen()
    wait_for(lambda: child.hangs(0))
    assert not child.hangs(3600)
    os.close(writer)
    child.close()


def test_a_dead_process_is_replaced_and_the_family_ends_together(serve):
    server = serve(SERVER_PROCESSES="2")
    wait_for(lambda: len(children_of(server.child.pid)) == 2)
    first, second = children_of(server.child.pid)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(set(children_of(server.child.pid)) - {first, second}) == 1)
    for _ in range(20):
        assert httpx.get(f"{server.url}/api/ping", timeout=30).text == "pong"
    family = children_of(server.child.pid)
    server.kill()
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in family))


def test_the_connections_of_dead_processes_are_not_counted(serve):
    server = serve(SERVER_PROCESSES="2")
    wait_for(lambda: len(children_of(server.child.pid)) == 2)
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        # And the one that asks.
        wait_for(lambda: connections_told_by(server) == 11)
        for child in children_of(server.child.pid):
            os.kill(child, signal.SIGKILL)
        wait_for(lambda: connections_told_by(server) == 1)


def connections_told_by(server):
    with contextlib.suppress(httpx.HTTPError):
        text = httpx.get(f"{server.url}/metrics", timeout=30).text
        return float(re.search(r"^flexiapi_http_connections (\S+)$", text, re.MULTILINE)[1])
    return 0.0


def test_a_signal_while_a_dead_process_is_to_be_replaced_ends_all(serve):
    server = serve(SERVER_PROCESSES="2")
    wait_for(lambda: len(children_of(server.child.pid)) == 2)
    os.kill(children_of(server.child.pid)[0], signal.SIGKILL)
    wait_for(lambda: "server process ended" in server.log.read_text())
    assert server.stop() == 0
    assert "stopped" in server.log.read_text()


def test_a_signal_while_the_processes_are_started_ends_all(serve):
    server = serve(wait=False, SERVER_PROCESSES="4")
    wait_for(lambda: children_of(server.child.pid))
    family = children_of(server.child.pid)
    assert server.stop() == 0
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in family))


def test_a_start_completes_the_removals_that_a_crash_interrupted(own_mongod, serve):
    database = f"removals_{os.getpid()}"
    with MongoClient(own_mongod.uri) as client:
        client[database].removals.insert_one({"_id": 99})
        client[database].auth_tokens.insert_one({"_id": b"token", "account_id": 99, "epoch": 0})
        serve(SERVER_PROCESSES="2", MONGODB_URI=own_mongod.uri, MONGODB_DATABASE=database, APP_KEY="k" * 40)
        assert client[database].removals.find_one() is None
        assert client[database].auth_tokens.find_one() is None


def test_a_process_that_is_replaced_has_the_settings_of_the_start(serve, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('[account]\nrealm = "as.it.was"\n')
    server = serve(SERVER_PROCESSES="2", FLEXIAPI_CONFIG=str(file))
    server.admin_key("the.admin")
    file.write_text("this is no TOML")
    for pid in children_of(server.child.pid):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(children_of(server.child.pid)) == 2, 90)
    path = f"{server.url}/api/accounts/the.admin@sip.example.org/info"
    wait_for(lambda: _answer(path) == {"activated": True, "realm": "as.it.was"}, 90)


def _answer(url):
    try:
        return httpx.get(url, timeout=30).json()
    except httpx.TransportError:
        return None
