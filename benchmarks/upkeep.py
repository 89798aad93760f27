"""The cost of a process beside its requests: memory, idle connections, the start; and waits under an open-loop load."""

import json
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

from benchmarks import costs
from benchmarks.arithmetic import pairwise
from benchmarks.cases import ME, Case, Supplies
from benchmarks.house import House
from benchmarks.open_loop import Waits
from benchmarks.programs import BARE, Program, allow_descriptors, flexiapi, plain
from benchmarks.rounds import OURS, Row

_KEY_CASE = Case("key", ME, "key.lua", Supplies.random)
_KEY_HEAD = f"GET {ME} HTTP/1.1\r\nHost: localhost\r\nx-api-key: key-{{number:07d}}\r\n\r\n"
_BARE_HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PING = b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
_MANY = 1_000
_HALF = 0.5
_OPEN_LOOP_SECONDS = 3
_OPEN_LOOPS = 5
_LATE_MS = 5.0
_IDLE = 10_000
_DESCRIPTORS_LEFT = 500
_STARTS = 3
_ANSWER_SECONDS = 60
_AT_MOST = {"p99 ms": 50.0, "MB": 110.0, "kB": 12.0, "s": 1.5, "CPU ms": 15.0}
OPEN_LOOP = "GET accounts/me by key, open loop"
MEMORY = "memory of a process"
IDLE = "memory of an idle connection"
START = "start to ready"
Starter = Callable[[], AbstractContextManager[Program]]


def measured(house: House, supplies: Supplies, part: str) -> Iterator[Row]:
    """Measure those whose name contains `part`."""
    supplies.restore()
    starters: dict[str, Starter] = {
        BARE: partial(plain, BARE, house.uri),
        OURS: partial(flexiapi, house.uri, house.folder),
    }
    if part in OPEN_LOOP:
        yield _open_loop(house, supplies, starters)
    if part in MEMORY or part in IDLE:
        rows = _memory(house, supplies, starters)
        yield from (row for row in rows if part in str(row["endpoint"]))
    if part in START:
        yield _starts(starters)


def row(name: str, measure: str, ours: list[float], bare: list[float], **more: object) -> Row:
    """Return the figures of something of which less is better. `ratio` is to the bare handler's, as everywhere."""
    ratio, value = pairwise(ours, bare), statistics.median(ours)
    return {
        "endpoint": name,
        "ratio": round(ratio.median, 3),
        "spread": [round(ratio.low, 3), round(ratio.high, 3)],
        "measure": measure,
        "value": round(value, 3),
        "bare_value": round(statistics.median(bare), 3),
        "at_most": _AT_MOST[measure],
        "reached": value < _AT_MOST[measure],
        "rounds": len(ours),
        **more,
    }


def _open_loop(house: House, supplies: Supplies, starters: dict[str, Starter]) -> Row:
    """Offer each server half of what it could do with the connections of the run, from many more of them."""
    with starters[BARE]() as bare, starters[OURS]() as ours:
        heads = {BARE: (bare, _BARE_HEAD), OURS: (ours, _KEY_HEAD)}
        loads = {BARE: house.bare(bare, _KEY_CASE), OURS: house.load(ours, _KEY_CASE, supplies)}
        for load in loads.values():
            load()  # a warm-up
        capacity = {name: load().answers.rate for name, load in loads.items()}
        found: dict[str, list[tuple[Waits, float]]] = {BARE: [], OURS: []}
        for _ in range(min(house.options.rounds, _OPEN_LOOPS)):
            for name, (server, head) in heads.items():
                before = costs.cpu_seconds([*server.all, house.pid])
                waits = offered(server.port, _MANY, capacity[name] * _HALF, supplies.accounts, head)
                spent = costs.cpu_seconds([*server.all, house.pid]) - before
                found[name].append((waits, spent / waits.requests * 1e6))
    return _row_of_waits(found, capacity)


def _row_of_waits(found: dict[str, list[tuple[Waits, float]]], capacity: dict[str, float]) -> Row:
    waits = {name: [one for one, _ in each] for name, each in found.items()}
    ours = waits[OURS]
    costly = {name: round(statistics.median(cost for _, cost in each), 1) for name, each in found.items()}
    return row(
        OPEN_LOOP,
        "p99 ms",
        [one.p99 for one in ours],
        [one.p99 for one in waits[BARE]],
        connections=_MANY,
        p50=round(statistics.median(one.p50 for one in ours), 3),
        offered=round(capacity[OURS] * _HALF, 1),
        capacity=round(capacity[OURS], 1),
        answered=round(statistics.median(one.rate for one in ours), 1),
        errors=sum(one.errors for one in ours),
        cpu={"both": costly[OURS], "bare": costly[BARE]},
        loader_late_ms=round(statistics.median(one.late for one in ours), 3),
        loader_share=round(statistics.median(one.share for one in ours), 2),
        loader_sustains=round(1e6 / statistics.median(one.each for one in ours)),
        limited_by_loader=[
            name for name in (BARE, OURS) if statistics.median(one.late for one in waits[name]) > _LATE_MS
        ],
    )


def offered(port: int, connections: int, rate: float, accounts: int, head: str) -> Waits:
    """Run the open-loop loader as a process of its own."""
    arguments = [port, connections, rate, _OPEN_LOOP_SECONDS, accounts, head]
    command = [sys.executable, "-m", "benchmarks.open_loop", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return Waits(**json.loads(done.stdout))


def _memory(house: House, supplies: Supplies, starters: dict[str, Starter]) -> Iterator[Row]:
    """Measure fresh processes after a load: what one frees first would hide what connections need."""
    count = min(_IDLE, allow_descriptors() - _DESCRIPTORS_LEFT)
    whole, each = {}, {}
    for name, starter in starters.items():
        with starter() as server:
            load = house.bare(server, _KEY_CASE) if name == BARE else house.load(server, _KEY_CASE, supplies)
            load()
            whole[name] = server.megabytes()
            each[name] = _bytes_each(server, count) / 1000
    yield row(MEMORY, "MB", [whole[OURS]], [whole[BARE]])
    yield row(IDLE, "kB", [each[OURS]], [each[BARE]], connections=count)


def _bytes_each(server: Program, count: int) -> float:
    """Return the growth of the process per connection that was answered once and is kept."""
    [pid] = server.serving
    before = costs.resident_bytes(pid)
    kept: list[socket.socket] = []
    try:
        for _ in range(count):
            kept.append(socket.create_connection(("127.0.0.1", server.port), _ANSWER_SECONDS))
            kept[-1].sendall(_PING)
            if not kept[-1].recv(4096).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("an idle connection was not answered")
        return (costs.resident_bytes(pid) - before) / count
    finally:
        for connection in kept:
            connection.close()


def _starts(starters: dict[str, Starter]) -> Row:
    seconds: dict[str, list[float]] = {name: [] for name in starters}
    for _ in range(_STARTS):
        for name, starter in starters.items():
            with starter() as server:
                seconds[name].append(server.seconds)
    return row(START, "s", seconds[OURS], seconds[BARE])
