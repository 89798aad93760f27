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
from flexiapi.store import EmbeddedMongod
from flexiapi.store import embedded as module


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
