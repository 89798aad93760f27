"""A mongod for tests."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from pymongo import MongoClient

from flexiapi.store import EmbeddedMongod
from tests.kit.waiting import wait_for


def _close_files(uri):
    """Let the mongod close the files of dropped databases soon: by default it keeps each open for ten minutes."""
    closing = "file_manager=(close_idle_time=5,close_scan_interval=2,close_handle_minimum=100)"
    with MongoClient(uri) as client:
        client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=closing)


@contextlib.contextmanager
def standalone_mongod(folder):
    """A mongod that is no replica set, which has neither change streams nor retryable writes. Yields its URI."""
    socket = folder / "standalone.sock"
    arguments = ["--dbpath", folder, "--bind_ip", socket, "--port", "0", "--unixSocketPrefix", folder]
    child = subprocess.Popen(
        [EmbeddedMongod.binary(), *arguments, "--logpath", folder / "log"], stdout=subprocess.DEVNULL
    )
    try:
        wait_for(socket.exists, 60)
        yield f"mongodb://{quote(str(socket), safe='')}/?directConnection=true"
    finally:
        child.terminate()
        child.wait(60)


@contextlib.contextmanager
def mongod_in_memory():
    """A mongod that is fast to fill: each test makes and drops a database, which costs many fsyncs on a disk."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="flexiapi-tests-", dir=parent) as folder:
        mongod = EmbeddedMongod(Path(folder))
        mongod.start()
        _close_files(mongod.uri)
        try:
            yield mongod
        finally:
            mongod.stop()
