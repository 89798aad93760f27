"""The compared servers, each a process of its own: their start, the processes that serve, their end."""

import contextlib
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from benchmarks import costs
from benchmarks.configuration import DATABASE, environment

_START_SECONDS = 300.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.002
BARE = "bare"
BARE_ON_OURS = "bare-on-ours"
OBVIOUS = "obvious"


@dataclass
class Program:
    """A running server. `seconds` is the time from its start to its first answer."""

    port: int
    child: subprocess.Popen[bytes]
    processes: int
    seconds: float

    @cached_property
    def serving(self) -> list[int]:
        """The processes that answer requests."""
        return costs.children(self.child.pid) if self.processes > 1 else [self.child.pid]

    @property
    def all(self) -> list[int]:
        return sorted({self.child.pid, *self.serving})

    def megabytes(self) -> float:
        """Return the resident memory of the largest process that answers requests."""
        return max(costs.resident_bytes(pid) for pid in self.serving) / 2**20

    def stop(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@contextlib.contextmanager
def plain(kind: str, uri: str) -> Iterator[Program]:
    """Run a server that the real one is compared with."""
    port = _free_port()
    yield from _run([sys.executable, "-m", "benchmarks.servers", kind, str(port), uri], port, "/", None, 1)


@contextlib.contextmanager
def flexiapi(uri: str, folder: Path, database: str = DATABASE, processes: int = 1) -> Iterator[Program]:
    """Run `flexiapi serve`, as an operator does."""
    port = _free_port()
    variables = environment(port, uri, folder, database, processes)
    yield from _run([sys.executable, "-m", "flexiapi", "serve"], port, "/provisioning", variables, processes)


def _run(
    command: list[str], port: int, path: str, variables: dict[str, str] | None, processes: int
) -> Iterator[Program]:
    began = time.monotonic()
    child = subprocess.Popen(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    program = Program(port, child, processes, 0.0)
    try:
        _await(program, partial(_answers, port, path), began)
        program.seconds = time.monotonic() - began
        _await(program, lambda: processes == 1 or len(costs.children(child.pid)) == processes, began)
        yield program
    finally:
        program.stop()


def _await(program: Program, condition: Callable[[], bool], began: float) -> None:
    while not condition():
        if program.child.poll() is not None or time.monotonic() > began + _START_SECONDS:
            raise RuntimeError(f"the server did not start: {program.child.args!r}")
        time.sleep(_LOOK_SECONDS)


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def allow_descriptors() -> int:
    """Raise the limit of open files to what the system allows, for programs started later too, and return it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
