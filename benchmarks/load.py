"""Load on one server by wrk for a bounded time, and its cost in the server process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """Measurements: `rate` in requests/s, latencies in ms, `cpu` in microseconds of the server process per request."""

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int


class Process:
    """A server process under load."""

    def __init__(self, kind: str, uri: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = [sys.executable, "-m", "benchmarks.servers", kind, str(self.port), uri]
        self._child = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        self._await()

    def _await(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the server did not start")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_megabytes(self) -> float:
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(match[1]) / 1024 if match else 0.0

    def stop(self) -> None:
        self._child.send_signal(signal.SIGTERM)
        self._child.wait(20)


@contextmanager
def process(kind: str, uri: str) -> Iterator[Process]:
    server = Process(kind, uri)
    try:
        yield server
    finally:
        server.stop()


def measure(server: Process, path: str, script: str | None, seconds: int, connections: int, *arguments: str) -> Figures:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(SCRIPTS / script)] if script else []
    before = server.cpu_seconds()
    done = subprocess.run([*command, server.url + path, "--", *arguments], capture_output=True, text=True, check=True)
    cpu = server.cpu_seconds() - before
    return _figures(done.stdout, cpu)


def _figures(text: str, cpu: float) -> Figures:
    requests = int(_found(r"(\d+) requests in", text))
    refused = int(_found(r"Non-2xx or 3xx responses: (\d+)", text, "0"))
    timeouts = int(_found(r"timeout (\d+)", text, "0"))
    return Figures(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        p50=_milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", text)),
        p99=_milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", text)),
        cpu=cpu / max(requests, 1) * 1e6,
        errors=refused + timeouts,
    )


def _found(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text)
    if match:
        return match[1]
    if default is None:
        raise RuntimeError(f"wrk said nothing of {pattern}: {text}")
    return default


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]
