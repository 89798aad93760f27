"""Load on one server by wrk for a bounded time, and its cost in the server, in mongod and in wrk itself."""

import re
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import costs
from benchmarks.programs import Program

SCRIPTS = Path(__file__).parent / "scripts"
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}
_STALL_SECONDS = 60


@dataclass(frozen=True)
class Shot:
    """A kind of load: a path, the Lua script that makes the requests, and its arguments."""

    path: str
    script: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """The report of wrk: `rate` in requests/s, latencies in ms."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Cost:
    """Processor time per request in microseconds: of the server's processes, of mongod, of both together."""

    server: float
    mongod: float
    both: float


@dataclass(frozen=True)
class Load:
    """A load and its cost. The shares are of one core: those of the server, of wrk, and of all programs beside."""

    answers: Answers
    cost: Cost
    server_share: float
    loader_share: float
    others_share: float = 0.0


def missing() -> bool:
    return shutil.which("wrk") is None


def measure(server: Program, mongod: int, shot: Shot, seconds: int, connections: int) -> Load:
    """Load the server for that many seconds. Raises `RuntimeError` if wrk fails."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(SCRIPTS / shot.script)] if shot.script else []
    command += [f"http://127.0.0.1:{server.port}{shot.path}", "--", *shot.arguments]
    before, began = _spent(server, mongod), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + _STALL_SECONDS)
    after, passed = _spent(server, mongod), time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stderr or done.stdout}")
    answers = report(done.stdout)
    of_server, of_mongod, of_wrk, of_all = (end - start for start, end in zip(before, after, strict=True))
    others = max(of_all - of_server - of_mongod - of_wrk, 0.0)
    costly = cost(of_server, of_mongod, answers.requests)
    return Load(answers, costly, of_server / passed, of_wrk / passed, others / passed)


def _spent(server: Program, mongod: int) -> tuple[float, float, float, float]:
    """Return the processor time of the server, of mongod, of wrk, and of the machine."""
    of_server, of_mongod = costs.cpu_seconds(server.all), costs.cpu_seconds([mongod])
    return of_server, of_mongod, _of_children(), costs.busy_seconds()


def _of_children() -> float:
    """Return the processor time of children that have ended, of which there are none beside wrk during a load."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cost(server: float, mongod: float, requests: int) -> Cost:
    """Return the cost per request of so many seconds of processor time."""
    each = 1e6 / max(requests, 1)
    return Cost(server * each, mongod * each, (server + mongod) * each)


def together(loads: Sequence[Load]) -> Load:
    """Return loads of several servers at the same time as one; each has seen the whole cost of mongod."""
    requests = sum(load.answers.requests for load in loads)
    server = sum(load.cost.server * load.answers.requests for load in loads) / 1e6
    mongod = max(load.cost.mongod * load.answers.requests for load in loads) / 1e6
    answers = Answers(
        requests,
        sum(load.answers.rate for load in loads),
        max(load.answers.p50 for load in loads),
        max(load.answers.p99 for load in loads),
        sum(load.answers.errors for load in loads),
    )
    return Load(answers, cost(server, mongod, requests), sum(load.server_share for load in loads), 0.0)


def report(text: str) -> Answers:
    """Read the report of wrk. Raises `RuntimeError` if something is missing in it."""
    refused = int(_found(r"Non-2xx or 3xx responses: (\d+)", text, "0"))
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return Answers(
        requests=int(_found(r"(\d+) requests in", text)),
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        p50=milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", text)),
        p99=milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", text)),
        errors=refused + (sum(map(int, broken.groups())) if broken else 0),
    )


def _found(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text)
    if match:
        return match[1]
    if default is None:
        raise RuntimeError(f"wrk said nothing of {pattern}: {text}")
    return default


def milliseconds(text: str) -> float:
    """Return a time of wrk's report in milliseconds. Raises `RuntimeError` if it is none."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise RuntimeError(f"wrk wrote a time as {text}")
    return float(found[1]) * _MICROSECONDS[found[2]] / 1e3
