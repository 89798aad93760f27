"""The embedded mongod ends by itself, as the kernel ends a process when memory is short: it is started again."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.kit.waiting import wait_for

pytestmark = pytest.mark.faults

KNOWN = "/api/accounts/the.admin@sip.example.org/info"


def mongods_of(folder):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[0].endswith(b"/mongod") and os.fsencode(folder / "mongodb") in arguments:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_server_recovers_says_so_and_leaves_no_orphan(serve, processes):
    server = serve(SERVER_PROCESSES=processes, MONGODB_TIMEOUT_SECONDS="3")
    server.admin_key()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        wait_for(lambda: http.get(KNOWN).status_code == 200)
        for _ in range(2):
            (mongod,) = mongods_of(server.folder)
            os.kill(mongod, signal.SIGKILL)
            wait_for(lambda gone=mongod: mongods_of(server.folder) not in ([], [gone]))
            wait_for(lambda: http.get(KNOWN).status_code == 200)
    assert server.stop() == 0
    assert mongods_of(server.folder) == []
    assert server.log.read_text().count("the embedded mongod ended and is started again") == 2


def test_an_outage_is_told_once_and_its_end_once(serve, own_mongod):
    server = serve(MONGODB_URI=own_mongod.uri, MONGODB_TIMEOUT_SECONDS="3")
    server.admin_key()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        own_mongod.stop()
        for _ in range(3):
            assert http.get(KNOWN).status_code == 503
        wait_for(lambda: "the database is away reason=" in server.log.read_text())
        for _ in range(10):
            assert http.get(KNOWN).status_code == 503
        # It may seem to come back once while the mongod ends; requests add nothing.
        assert server.log.read_text().count("the database is away reason=") in (1, 2)
        own_mongod.start()
        wait_for(lambda: http.get(KNOWN).status_code == 200)
        # It may go away once more while the mongod starts.
        wait_for(lambda: server.log.read_text().rfind("is back") > server.log.read_text().rfind("is away"))


def test_a_command_says_why_the_database_does_not_answer(serve, own_mongod):
    server = serve(MONGODB_URI=own_mongod.uri)
    server.environment |= {"MONGODB_URI": "mongodb://127.0.0.1:1/", "MONGODB_TIMEOUT_SECONDS": "1"}
    with pytest.raises(AssertionError) as failed:
        server.command("accounts", "set-admin", "1")
    assert "127.0.0.1:1: [Errno 111] Connect" in str(failed.value)
    assert "MONGODB_URI" in str(failed.value)
