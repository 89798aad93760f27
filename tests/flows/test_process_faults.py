"""Server processes that hang, are told to reload, start without their database, or are killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from flexiapi.store import EmbeddedMongod
from tests.kit.waiting import wait_for
from tests.server.test_processes import children_of

pytestmark = pytest.mark.faults


def running_children(server, count):
    wait_for(lambda: len(children_of(server.child.pid)) == count)
    return children_of(server.child.pid)


def is_gone(pid):
    return not Path(f"/proc/{pid}").exists()


def status(url):
    try:
        return httpx.get(url, timeout=30).status_code
    except httpx.TransportError:
        return None


def test_a_process_that_hangs_is_replaced(serve, own_mongod):
    server = serve(SERVER_PROCESSES="2", SERVER_HANG_SECONDS="4", MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40)
    # Until then a process is given more time.
    wait_for(lambda: " ready " in server.log.read_text())
    hung = running_children(server, 2)[0]
    os.kill(hung, signal.SIGSTOP)
    wait_for(lambda: is_gone(hung), 240)
    running_children(server, 2)
    assert f"hangs and is replaced pid={hung}" in server.log.read_text()
    assert status(f"{server.url}/api/ping") == 200


def test_a_hung_process_does_not_hold_up_a_stop(serve, own_mongod):
    server = serve(SERVER_PROCESSES="2", SERVER_STOP_SECONDS="0", MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40)
    family = running_children(server, 2)
    os.kill(family[0], signal.SIGSTOP)
    assert server.stop() == 0
    assert "did not stop in time" in server.log.read_text()
    assert all(map(is_gone, family))


HUNG = {
    "in Python": "while True: pass",
    "in a system call": "import socket; a, b = socket.socketpair(); a.recv(1)",
    "in C": "import re; re.match('(a*)*b', 'a' * 40)",
}


@pytest.mark.parametrize("how", HUNG)
def test_a_process_that_hangs_ends_in_time_after_its_signal(how):
    program = (
        "import os, signal; from flexiapi.server.stopping import STOP_SIGNALS, end_within, on_signals\n"
        "on_signals(STOP_SIGNALS, lambda: end_within(0.2)); os.kill(os.getpid(), signal.SIGTERM)\n" + HUNG[how]
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=100, check=False).returncode == 1
    )


def test_a_hung_mongod_does_not_hold_up_a_stop(serve):
    server = serve(SERVER_STOP_SECONDS="0")
    mongod = mongod_of(server)
    os.kill(mongod, signal.SIGSTOP)
    server.stop()
    assert is_gone(mongod)


def mongod_of(server):
    children = Path(f"/proc/{server.child.pid}/task").glob("*/children")
    pids = [int(pid) for text in children for pid in text.read_text().split()]
    return next(pid for pid in pids if b"mongod" in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_signal_during_the_start_ends_it(serve, tmp_path):
    server = serve(wait=False, MONGODB_URI="mongodb://192.0.2.1/", MONGODB_TIMEOUT_SECONDS="60", APP_KEY="k" * 40)
    wait_for(lambda: status(f"{server.url}/health/live") == 200)
    assert server.stop() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_sighup_reads_the_settings_again_and_kills_nothing(serve, own_mongod, tmp_path, processes):
    file = tmp_path / "settings.toml"
    file.write_text("")
    server = serve(SERVER_PROCESSES=processes, FLEXIAPI_CONFIG=str(file), MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40)
    file.write_text("this is no TOML")
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: "the settings are not read again" in server.log.read_text())
    assert status(f"{server.url}/api/ping") == 200
    file.write_text("[server]\nmaintenance = true\n")
    server.child.send_signal(signal.SIGHUP)
    wait_for(lambda: status(f"{server.url}/api/ping") == 503, 90)
    wait_for(lambda: "the settings are read again" in server.log.read_text())
    assert server.child.poll() is None
    if processes == "2":
        for pid in running_children(server, 2):
            os.kill(pid, signal.SIGHUP)
        assert status(f"{server.url}/api/ping") == 503
    assert server.stop() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_start_without_the_database_waits_for_it_and_says_so(serve, tmp_path, processes):
    mongod = EmbeddedMongod(tmp_path / "mongod")
    server = serve(wait=False, SERVER_PROCESSES=processes, MONGODB_URI=mongod.uri, APP_KEY="k" * 40)
    wait_for(lambda: status(f"{server.url}/health/live") == 200)
    ready = httpx.get(f"{server.url}/health/ready", timeout=30)
    assert ready.status_code == 503
    assert ready.json()["reasons"]["start"] == "The database has not answered since the start."
    for path in ("/api/ping", "/provisioning", "/contacts/vcard", "/nowhere"):
        answer = httpx.get(f"{server.url}{path}", timeout=30)
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True), path
        assert bool(answer.content) == (path != "/contacts/vcard"), path
    assert server.log.read_text().count("the server waits for the database") == int(processes)
    mongod.start()
    try:
        wait_for(lambda: status(f"{server.url}/health/ready") == 200, 90)
        assert server.admin_key()
        assert server.stop() == 0
    finally:
        mongod.stop()


def test_a_start_with_the_wrong_key_ends_also_if_the_database_came_late(serve, own_mongod, tmp_path):
    first = serve(MONGODB_URI=own_mongod.uri, APP_KEY="k" * 40)
    assert first.stop() == 0
    own_mongod.stop()
    late = serve("late", wait=False, SERVER_PROCESSES="2", MONGODB_URI=own_mongod.uri, APP_KEY="x" * 40)
    wait_for(lambda: status(f"{late.url}/health/live") == 200)
    own_mongod.start()
    assert late.child.wait(90) == 1
    assert "The application key is not the one" in late.log.read_text()


def test_the_folder_of_figures_of_a_killed_server_is_removed_by_the_next(serve, own_mongod, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    common = {"MONGODB_URI": own_mongod.uri, "APP_KEY": "k" * 40, "TMPDIR": str(temporary), "SERVER_PROCESSES": "2"}
    server = serve(**common)
    (left,) = temporary.glob("flexiapi-figures-*")
    other = serve("other", **common)
    assert left.exists(), "the folder of a running server"
    family = children_of(server.child.pid)
    server.kill()
    wait_for(lambda: all(map(is_gone, family)))
    other.stop()
    serve("third", **common)
    assert not left.exists()
