"""Servers as processes of their own, as an operator runs them, to be killed and to lose their database."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from flexiapi.store import EmbeddedMongod
from tests.kit.ports import free_port

UNLIMITED = {
    "LIMITS_REQUESTS_PER_MINUTE": "0",
    "LIMITS_ANONYMOUS_TOKENS_PER_MINUTE": "0",
    "LIMITS_MESSAGES_PER_MINUTE": "0",
}


class ServerProcess:
    """`flexiapi serve` with these environment variables."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = int(environment.get("SERVER_PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "SERVER_PROCESSES": "1",
            "DELIVERY_FALLBACK_BACKEND": "outbox",
            "APP_ENV": "development",
            **UNLIMITED,
            **environment,
            "SERVER_PORT": str(self.port),
            "DATA_PATH": str(folder),
        }
        self.log = folder.with_suffix(".log")
        self.child = None

    def launch(self):
        """Start it, and do not wait for it."""
        with self.log.open("ab") as log:
            arguments = [sys.executable, "-m", "flexiapi", "serve"]
            self.child = subprocess.Popen(arguments, env=self.environment, stderr=log)
        return self

    def start(self):
        self.launch()
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert self.child.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/api/ping", timeout=30).text == "pong":
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flexiapi", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def admin_key(self, name: str = "the.admin") -> str:
        return re.search(r"API key +(\w{40})", self.command("accounts", "create-admin", name, "--api-key"))[1]

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def stop(self) -> int:
        if self.child is None or self.child.poll() is not None:
            return 0
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(120)


@pytest.fixture
def serve(tmp_path):
    """Start servers; all are stopped at the end."""
    started = []

    def start(name: str = "data", *, wait: bool = True, **environment: str) -> ServerProcess:
        process = ServerProcess(tmp_path / name, **environment)
        started.append(process)
        return process.start() if wait else process.launch()

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def own_mongod(tmp_path):
    """A mongod of the test's own, to be stopped and started."""
    mongod = EmbeddedMongod(tmp_path / "mongod")
    mongod.start()
    yield mongod
    mongod.stop()


@contextlib.contextmanager
def majority_lost(mongod):
    """In the block the primary serves, but its one other voter never was there, so no write reaches a majority."""
    absent = {"_id": 1, "host": "/nowhere/mongod.sock", "priority": 0}
    with MongoClient(mongod.uri) as client:
        _reconfigure(client, lambda members: [*members, absent])
        try:
            yield
        finally:
            _reconfigure(client, lambda members: members[:1])


def _reconfigure(client, change):
    config = client.local["system.replset"].find_one()
    members = change(config["members"])
    # A primary without a majority steps down after this time.
    settings = {**config["settings"], "electionTimeoutMillis": 24 * 60 * 60 * 1000}
    version = config["version"] + 1
    new = {"_id": config["_id"], "version": version, "members": members, "settings": settings}
    client.admin.command("replSetReconfig", new, force=True)
