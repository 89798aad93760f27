"""Fixtures of the commands.

file      a settings file like that of `make run`, with data of its own
run       (*arguments, **options) -> the result of `flexiapi --config file *arguments`
embedded  a context manager: a server of that file with an embedded mongod, which may be started again
"""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from tests.kit.waiting import wait_for


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flexiapi.toml"
    path.write_text(
        f"""
        [app]
        env = "development"
        key = "{"k" * 40}"
        [data]
        path = "{tmp_path}/var"
        [server]
        port = 0
        processes = 1
        [delivery]
        fallback_backend = "outbox"
        [log]
        format = "json"
        """
    )
    return path


@pytest.fixture
def run(file):
    return lambda *arguments, **options: CliRunner().invoke(main, ["--config", str(file), *arguments], **options)


@pytest.fixture
def embedded(file):
    return Embedded(file)


class Embedded:
    """A server with an embedded mongod, that may be started and stopped."""

    def __init__(self, file):
        self._command = [sys.executable, "-m", "flexiapi", "--config", str(file), "serve"]
        self._log = file.with_name("log")

    def __enter__(self):
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._command, stderr=log, env=dict(os.environ))
        wait_for(lambda: self._process.poll() is not None or self._is_ready())
        assert self._process.poll() is None, self._log.read_text()
        return self

    def _is_ready(self):
        whole_lines = self._log.read_text().rpartition("\n")[0].splitlines()
        events = [json.loads(line) for line in whole_lines if line.startswith("{")]
        self.url = next((event["url"] for event in events if event["event"] == "ready"), None)
        return self.url

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0

    def accounts(self, key):
        answer = httpx.get(
            f"{self.url}/api/accounts", headers={"x-api-key": key, "Accept": "application/json"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return {account["username"]: account for account in answer.json()["data"]}
