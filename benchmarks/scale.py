"""The cost of reads with more accounts, and with more processes."""

import contextlib
import json
import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from benchmarks import costs, data
from benchmarks.arithmetic import evenness
from benchmarks.cases import CASES, Case, Supplies
from benchmarks.house import House
from benchmarks.load import Load
from benchmarks.programs import BARE, Program, flexiapi, plain
from benchmarks.rounds import Round, Row, compared, cpu, cpu_of_server, interleaved, row

SIZES = (1_000, 100_000, 1_000_000)
BY_ACCOUNTS, BY_PROCESSES = "accounts", "processes"
_OF_PROCESSES = ("GET /provisioning", "GET accounts/{sip}/info", "GET accounts/me by key")
_MORE_BY_SIZE = 1.10
_MORE_BY_PROCESS = 1.10
_WARM_UP = Case("warm-up", "/")


def sizes(house: House, part: str, counts: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Measure reads with each number of accounts, in a database and a server of their own, interleaved."""
    cases = [case for case in CASES if case.is_scaled and part in case.name]
    if not cases:
        return
    data.cache_all(house.uri)
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(plain(BARE, house.uri))
        servers: dict[int, tuple[Program, Supplies]] = {}
        for count in counts:
            database = f"benchmark_{count}"
            supplies = house.fill(count, database)
            servers[count] = stack.enter_context(flexiapi(house.uri, house.folder, database)), supplies
        for server in (bare, *(server for server, _ in servers.values())):
            house.bare(server, _WARM_UP)()
        for case in cases:
            loads = {BARE: house.bare(bare, case)}
            loads |= {str(count): house.load(server, case, own) for count, (server, own) in servers.items()}
            rounds = interleaved(loads, house.options.rounds)
            for count in counts:
                named = replace(case, name=f"{case.name}, {count:,} accounts", goal=None)
                made = row(named, rounds, str(count))
                yield (
                    made
                    | {"by": BY_ACCOUNTS, "accounts": count}
                    | _growth(rounds, str(count), str(counts[0]), _MORE_BY_SIZE)
                )


def _growth(rounds: list[Round], name: str, first: str, limit: float) -> Row:
    """Compare the cost per request with that of the first one, of the server alone and with mongod."""
    both = compared(rounds, name, first, cpu)
    server = compared(rounds, name, first, cpu_of_server)
    return {
        "cpu_to_first": round(both.median, 3),
        "cpu_to_first_spread": [round(both.low, 3), round(both.high, 3)],
        "server_cpu_to_first": round(server.median, 3),
        "reached": None if name == first else both.median <= limit,
    }


def processes(house: House, supplies: Supplies, part: str) -> Iterator[Row]:
    """Measure reads with one process, two, and so on to one per core, interleaved."""
    cases = [case for case in CASES if case.name in _OF_PROCESSES and part in case.name]
    counts = sorted({1, 2, os.cpu_count() or 1})
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(plain(BARE, house.uri))
        servers = {}
        for count in counts:
            folder = _folder(house, count)
            folder.mkdir()
            servers[count] = stack.enter_context(flexiapi(house.uri, folder, processes=count))
        for server in (bare, *servers.values()):
            house.bare(server, _WARM_UP)()
        for case in cases:
            yield from _of_counts(house, supplies, case, bare, servers)


def _of_counts(
    house: House, supplies: Supplies, case: Case, bare: Program, servers: dict[int, Program]
) -> Iterator[Row]:
    shares: dict[int, list[list[float]]] = {count: [] for count in servers}
    before = {count: answered(_folder(house, count), server) for count, server in servers.items()}
    loads: dict[str, Callable[[], Load]] = {BARE: house.bare(bare, case)}
    for count, server in servers.items():
        loads[str(count)] = _watched(server, house.load(server, case, supplies), shares[count])
    rounds = interleaved(loads, house.options.rounds)
    for count, server in servers.items():
        name = f"{case.name}, {count} process{'' if count == 1 else 'es'}"
        made = row(replace(case, name=name, goal=None), rounds, str(count))
        made |= {"by": BY_PROCESSES, "processes": count} | _growth(rounds, str(count), "1", _MORE_BY_PROCESS)
        made["cpu_evenness"] = round(statistics.median(map(evenness, shares[count])), 3)
        if count > 1:
            after = answered(_folder(house, count), server)
            requests = [end - start for start, end in zip(before[count], after, strict=True)]
            made |= {"answered": requests, "evenness": round(evenness(requests), 3)}
        yield made


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
