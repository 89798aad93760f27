"""Server processes and the document layout: heartbeats, steps, waiting, and a layout that becomes too new."""

import os
import secrets
import socket

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.server import layout_watch
from flexiapi.store import migrations
from flexiapi.store.migrations import LEASE, LEASE_LIFE
from flexiapi.store.steps import STEPS, LayoutStep, StepKind
from tests.kit.old_release import DOMAIN, KEY, load
from tests.kit.server import Server, serving, settings_of
from tests.kit.waiting import wait_for
from tests.kit.watched_log import LOG

OTHER = "process 99 on b.example.org"


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch):
    for name in ("BEAT_SECONDS", "LOOK_SECONDS", "AGAIN_SECONDS"):
        monkeypatch.setattr(layout_watch, name, 0.05)


@pytest.fixture
def database(mongod_uri):
    """A database of before the first step."""
    name = f"test_{secrets.token_hex(6)}"
    load(mongod_uri, name)
    return name


@pytest.fixture
def configure(database):
    return {"app": {"key": KEY, "sip_domain": DOMAIN}, "mongodb": {"database": database, "timeout_seconds": 30}}


def needs(monkeypatch, *declared):
    """Let the release have these steps."""
    monkeypatch.setattr(migrations.Migrations.__init__, "__defaults__", (declared,))


async def nothing(_database, _after):
    return None


def layout(server):
    return server.run(server.store.migrations.layout())


def seen(server):
    return server.run(server.store.servers.seen())


def test_a_server_sends_heartbeats_until_it_stops(configure, tmp_path, mongod_uri):
    with serving(configure, tmp_path, mongod_uri) as staying:
        leaving = Server(staying.settings, mongod_uri).start()
        leaving.http.close()
        for one in seen(staying):
            assert (one.host, one.pid, one.writes, one.knows) == (socket.gethostname(), os.getpid(), 0, len(STEPS))
        assert len(seen(staying)) == 2
        leaving.stop()
        (left,) = seen(staying)
        staying.run(staying.store.servers.leave(left.id))
        wait_for(lambda: seen(staying))  # the next heartbeat


def test_contracting_steps_run_once_the_old_servers_are_stopped(server, http):
    assert http.get("/health/ready").text == "ready"
    assert layout(server).version == 0
    assert server.store.account_ranges.has_older_servers
    server.run(server.store.migrations.old_servers_stopped())
    wait_for(lambda: layout(server).version == len(STEPS))
    wait_for(lambda: not server.store.account_ranges.has_older_servers)
    wait_for(lambda: [one.writes for one in seen(server)] == [len(STEPS)])


def test_a_server_that_waits_for_another_is_not_ready_and_says_so_once(configure, tmp_path, mongod_uri, monkeypatch):
    with serving(configure, tmp_path, mongod_uri) as runner:
        runner.run(runner.store.leases.keep(LEASE, OTHER, LEASE_LIFE))
        needs(monkeypatch, LayoutStep(1, "Do something.", StepKind.EXPAND, nothing))
        waiting = Server(runner.settings, mongod_uri).start()
        reason = f"Step 1 of the document layout waits for the process that changes it now: {OTHER}."
        ready = waiting.http.get("/health/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (503, {"migrations": reason})
        assert waiting.http.get("/api/ping").status_code == 503
        assert layout(waiting).version == 0
        runner.run(runner.store.leases.give_back(LEASE, OTHER))
        wait_for(lambda: waiting.http.get("/health/ready").text == "ready")
        assert waiting.http.get("/api/ping").status_code == 200
        assert layout(waiting).version == 1
        waiting.stop()
        assert LOG.stream.getvalue().count(reason) == 1


def test_a_server_stops_answering_when_the_layout_is_too_new_for_it(server, http):
    server.expect_errors("no request is answered any more")
    server.run(set_layout(server, version=9, readable_from=9))
    wait_for(lambda: http.get("/health/ready").status_code == 503)
    reason = http.get("/health/ready").json()["reasons"]["release"]
    assert "has step 9 of its layout" in reason
    assert http.get("/api/ping").status_code == 503
    with pytest.raises(ConfigurationError, match="Install the release that made the step"):
        Server(server.settings, server.uri).start()
    server.run(set_layout(server, version=9, readable_from=len(STEPS)))
    wait_for(lambda: http.get("/health/ready").status_code == 200)
    assert http.get("/api/ping").status_code == 200


async def set_layout(server, **fields):
    await server.store._database["meta"].update_one({"_id": "layout"}, {"$set": fields})


def test_a_step_that_fails_is_tried_again(configure, tmp_path, mongod_uri, monkeypatch):
    tries = []

    async def failing(_database, _after):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("broken")

    needs(monkeypatch, LayoutStep(1, "Do something.", StepKind.EXPAND, failing))
    with serving(configure, tmp_path, mongod_uri) as server:
        server.expect_errors("the document layout is not watched now")
        wait_for(lambda: layout(server).version == 1)
        wait_for(lambda: server.http.get("/health/ready").status_code == 200)


def test_a_new_database_has_nothing_to_wait_for(tmp_path, mongod_uri):
    with serving({}, tmp_path, mongod_uri) as server:
        assert layout(server).version == len(STEPS)
        assert settings_of({}, tmp_path).mongodb.database != server.settings.mongodb.database
