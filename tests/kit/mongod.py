"""A mongod for tests."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from flexiapi.store import EmbeddedMongod
from tests.kit.waiting import wait_for


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
        try:
            yield mongod
        finally:
            mongod.stop()
