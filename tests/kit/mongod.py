"""A mongod for tests."""

import contextlib
import os
import tempfile
from pathlib import Path

from flexiapi.store import EmbeddedMongod


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
