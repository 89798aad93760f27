"""Programs that tests start, their folders, and the certificate that they show."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

PACKAGES = {
    "chromium": "chromium",
    "redis-server": "redis-server",
    "kamailio": "kamailio",
    "linphone-daemon": "linphone-cli",
    "sipp": "sip-tester",
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "wrk": "wrk",
}


def binary_of(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert path, f"{name} is not installed: apt-get install {PACKAGES[name]}"
    return path


@dataclass
class Program:
    """A child process with its log, ended by `stop`."""

    process: subprocess.Popen
    log_file: Path

    @classmethod
    def start(cls, argv: list[str], log_file: Path, **options) -> "Program":
        with log_file.open("ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        return cls(process, log_file)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"{self.process.args} ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.process.args} is not ready:\n{self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@dataclass
class Authority:
    ca_file: Path
    certificate_file: Path
    key_file: Path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for unix sockets."""
    with tempfile.TemporaryDirectory(prefix="fx-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fx-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def authority(session_folder) -> Authority:
    made = Authority(*(session_folder / name for name in ("ca.pem", "server.pem", "server.key")))
    ca = trustme.CA()
    ca.cert_pem.write_to_path(made.ca_file)
    server = ca.issue_cert("127.0.0.1", "localhost")
    server.cert_chain_pems[0].write_to_path(made.certificate_file)
    server.private_key_pem.write_to_path(made.key_file)
    return made
