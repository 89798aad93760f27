"""The embedded mongod: started, joined, never an orphan."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pymongo import MongoClient

from flexiapi.errors import ConfigurationError
from flexiapi.store import EmbeddedMongod, mongod_log
from flexiapi.store import embedded as module
from tests.kit.waiting import wait_for
from tests.kit.watched_log import LOG

pytestmark = pytest.mark.long


def is_running(folder):
    """Return whether a mongod of that folder is among the processes."""
    needle = str(folder.resolve() / "mongodb").encode()
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/mongod") and needle in words:
            return True
    return False


def write(uri, value):
    client = MongoClient(uri)
    client.test.values.insert_one({"_id": value})
    client.close()


def values(uri):
    client = MongoClient(uri)
    found = [document["_id"] for document in client.test.values.find()]
    client.close()
    return found


def test_it_keeps_its_data_and_listens_on_no_tcp_port(tmp_path):
    for value in (1, 2):
        mongod = EmbeddedMongod(tmp_path)
        mongod.start()
        try:
            write(mongod.uri, value)
            listening = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=True).stdout
            assert f"pid={mongod._child.pid}," not in listening
        finally:
            mongod.stop()
    assert not is_running(tmp_path)
    mongod.start()
    assert values(mongod.uri) == [1, 2]
    mongod.stop()


def test_a_second_one_joins_and_does_not_end_the_first(tmp_path):
    first, second = EmbeddedMongod(tmp_path), EmbeddedMongod(tmp_path)
    first.start()
    try:
        second.start()
        assert not second.is_ours
        write(second.uri, 1)
        second.stop()
        assert values(first.uri) == [1]
    finally:
        first.stop()


def test_a_second_server_on_the_same_folder_gets_a_clear_error(tmp_path):
    first, second = EmbeddedMongod(tmp_path), EmbeddedMongod(tmp_path)
    first.start(exclusive=True)
    first.keep()
    try:
        with pytest.raises(ConfigurationError, match=r"Another flexiapi server uses .* DATA_PATH"):
            second.start(exclusive=True)
    finally:
        first.stop()


def test_it_ends_with_a_server_that_is_killed(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from flexiapi.store import EmbeddedMongod;"
        "EmbeddedMongod(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as server:
        assert server.stdout.readline() == b"up\n"
        assert is_running(tmp_path)
        server.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while is_running(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(tmp_path)
    mongod = EmbeddedMongod(tmp_path)
    mongod.start()
    mongod.stop()


def test_a_moved_folder_works_again(tmp_path):
    mongod = EmbeddedMongod(tmp_path / "here")
    mongod.start()
    write(mongod.uri, 1)
    mongod.stop()
    (tmp_path / "here").rename(tmp_path / "there")
    moved = EmbeddedMongod(tmp_path / "there")
    moved.start()
    try:
        assert values(moved.uri) == [1]
        write(moved.uri, 2)
    finally:
        moved.stop()


def test_a_path_that_is_too_long_for_a_socket_works(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    mongod = EmbeddedMongod(deep)
    mongod.start()
    try:
        write(mongod.uri, 1)
    finally:
        mongod.stop()


def test_without_the_wheel_the_error_names_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"flexiapi\[embedded\].*MONGODB_URI"):
        EmbeddedMongod(tmp_path).start()


def test_a_mongod_that_ends_at_once_is_told_in_one_sentence(tmp_path, monkeypatch):
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4' >&2; exit 127\n")
    broken.chmod(0o755)
    monkeypatch.setattr(module, "_binary", lambda: broken)
    with pytest.raises(ConfigurationError, match=r"lacks a system library .*libcurl.*MONGODB_URI"):
        EmbeddedMongod(tmp_path / "data").start()


def test_a_start_waits_for_the_mongod_of_a_killed_server_to_end(tmp_path):
    first = EmbeddedMongod(tmp_path)
    first.start()
    os.kill(first._child.pid, signal.SIGSTOP)
    # The state after a kill -9 of the server: its own lock is free, and the mongod has not ended yet.
    first._lock.release()
    second = EmbeddedMongod(tmp_path)
    started = threading.Thread(target=second.start)
    started.start()
    try:
        started.join(1)
        assert started.is_alive()
        assert second._child is None
    finally:
        os.kill(first._child.pid, signal.SIGCONT)
        first.stop()
        started.join(60)
    assert second.is_ours
    second.stop()


def test_a_mongod_that_ends_again_and_again_is_restarted_ever_more_slowly(tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(module, "_RESTART_SECONDS", 0.01)
    mongod = EmbeddedMongod(tmp_path)
    mongod.start(exclusive=True)
    try:
        mongod.keep()
        monkeypatch.setattr(module, "_binary", lambda: broken)
        os.kill(mongod.pid, signal.SIGKILL)
        for seconds in ("0.01", "0.02", "0.04", "0.08"):
            wait_for(lambda: f"after_seconds={seconds} " in LOG.stream.getvalue())  # noqa: B023  # called in this turn
    finally:
        mongod.stop()


def test_the_log_of_a_running_mongod_is_rotated(tmp_path, monkeypatch):
    mongod = EmbeddedMongod(tmp_path)
    mongod.start()
    try:
        file = tmp_path / "mongodb" / "mongod.log"
        mongod_log.rotate(file, mongod.pid)
        assert not file.with_name("mongod.log.1").exists()
        monkeypatch.setattr(mongod_log, "_MOST_LOG_BYTES", 100)
        mongod_log.rotate(file, mongod.pid)
        first = file.with_name("mongod.log.1").read_text()
        assert "Initialized wire specification" in first
        wait_for(file.exists)
        write(mongod.uri, 1)
    finally:
        mongod.stop()
    mongod.start()
    mongod.stop()
    assert file.with_name("mongod.log.1").read_text() != first


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_full_disk_is_told_in_one_sentence(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(mounted.stderr.decode())
    environment = {**os.environ, "DATA_PATH": str(folder), "SERVER_PORT": "0", "SERVER_PROCESSES": "1"}
    try:
        serve = [sys.executable, "-m", "flexiapi", "serve"]
        ended = subprocess.run(serve, env=environment, capture_output=True, text=True, timeout=90, check=False)
    finally:
        subprocess.run(["umount", folder], check=True)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "is full" in line
    assert "Free space there." in line


def test_a_mongod_that_dies_with_its_stack_is_told_in_one_line(tmp_path, monkeypatch):
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\nyes 'Frame: {} at some address' | head -1000 >&2; exit 14\n")
    broken.chmod(0o755)
    monkeypatch.setattr(module, "_binary", lambda: broken)
    with pytest.raises(ConfigurationError) as raised:
        EmbeddedMongod(tmp_path / "data").start()
    assert str(raised.value).count("Frame") == 1


def test_a_full_disk_is_the_reason_of_an_end(tmp_path, monkeypatch):
    assert mongod_log.why_ended(tmp_path / "mongod.log") == f"see {tmp_path}/mongod.log"
    monkeypatch.setattr(mongod_log, "_LOWEST_SPACE_BYTES", 1 << 62)
    assert "is full" in mongod_log.why_ended(tmp_path / "mongod.log")
