"""The cost of reads with more processes, which share a socket, and the share that each of them takes."""

import contextlib
import json
import os
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from benchmarks import costs
from benchmarks.arithmetic import evenness
from benchmarks.cases import CASES, Case, Supplies
from benchmarks.house import House
from benchmarks.load import Load, together
from benchmarks.programs import BARE, Program, flexiapi, plain
from benchmarks.rounds import Row, compared, cpu, growth, interleaved, row

BY_PROCESSES = "processes"
_CASES = ("GET /provisioning", "GET accounts/{sip}/info", "GET accounts/me by key")
_MORE = 1.10
_WARM_UP = Case("warm-up", "/")
_APART = "apart"


@dataclass(frozen=True)
class Servers:
    """The bare handler, a server for each number of processes, and two of one process each."""

    bare: Program
    shared: dict[int, Program]
    apart: tuple[Program, Program]


def processes(house: House, supplies: Supplies, part: str) -> Iterator[Row]:
    """Measure reads with one process, two, and so on to one per core, interleaved."""
    cases = [case for case in CASES if case.name in _CASES and part in case.name]
    if not cases:
        return
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(plain(BARE, house.uri))
        shared = {}
        for count in sorted({1, 2, os.cpu_count() or 1}):
            folder = _folder(house, count)
            folder.mkdir()
            shared[count] = stack.enter_context(flexiapi(house.uri, folder, processes=count))
        other = stack.enter_context(flexiapi(house.uri, house.folder))
        for server in (bare, other, *shared.values()):
            house.bare(server, _WARM_UP)()
        for case in cases:
            yield from _measure(house, supplies, case, Servers(bare, shared, (shared[1], other)))


def _measure(house: House, supplies: Supplies, case: Case, servers: Servers) -> Iterator[Row]:
    shares: dict[int, list[list[float]]] = {count: [] for count in servers.shared}
    before = {count: answered(_folder(house, count), server) for count, server in servers.shared.items()}
    loads: dict[str, Callable[[], Load]] = {BARE: house.bare(servers.bare, case)}
    for count, server in servers.shared.items():
        loads[str(count)] = _watched(server, house.load(server, case, supplies), shares[count])
    loads[_APART] = lambda: _at_once(house, supplies, case, servers.apart)
    rounds = interleaved(loads, house.options.rounds)
    for count, server in servers.shared.items():
        name = f"{case.name}, {count} process{'' if count == 1 else 'es'}"
        made = row(replace(case, name=name, goal=None), rounds, str(count))
        made |= {"by": BY_PROCESSES, "processes": count} | growth(rounds, str(count), "1", _MORE)
        made["cpu_evenness"] = round(statistics.median(map(evenness, shares[count])), 3)
        made["megabytes"] = round(server.megabytes(), 1)
        if count > 1:
            after = answered(_folder(house, count), server)
            requests = [end - start for start, end in zip(before[count], after, strict=True)]
            made |= {"answered": requests, "evenness": round(evenness(requests), 3)}
        if count == len(servers.apart):
            made["cpu_to_apart"] = round(compared(rounds, str(count), _APART, cpu).median, 3)
        yield made


def _at_once(house: House, supplies: Supplies, case: Case, servers: tuple[Program, ...]) -> Load:
    """Load all servers at the same time, with the connections of one load in all."""
    part = replace(case, connections=max(house.options.connections // len(servers), 1))
    loads = [house.load(server, part, supplies) for server in servers]
    with ThreadPoolExecutor(len(servers)) as pool:
        return together([pending.result() for pending in [pool.submit(load) for load in loads]])


def _folder(house: House, count: int) -> Path:
    return house.folder / f"processes-{count}"


def answered(folder: Path, server: Program) -> list[int]:
    """Return the requests that each process has answered, as the files say through which they share their metrics."""
    counts = dict.fromkeys(server.serving, 0)
    for file in folder.glob("flexiapi-figures-*/counter_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            if json.loads(key)[0] == "flexiapi_http_requests" and pid in counts:
                counts[pid] += int(value)
    return list(counts.values())


def _watched(server: Program, load: Callable[[], Load], shares: list[list[float]]) -> Callable[[], Load]:
    def run() -> Load:
        before = [costs.cpu_seconds([pid]) for pid in server.serving]
        done = load()
        after = [costs.cpu_seconds([pid]) for pid in server.serving]
        shares.append([end - start for start, end in zip(before, after, strict=True)])
        return done

    return run
