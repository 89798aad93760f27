"""The cost of reads with more accounts."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from benchmarks import data
from benchmarks.cases import CASES, Case, Supplies
from benchmarks.house import House
from benchmarks.programs import BARE, Program, flexiapi, plain
from benchmarks.rounds import Row, growth, interleaved, row

SIZES = (1_000, 100_000, 1_000_000)
BY_ACCOUNTS = "accounts"
_MORE = 1.10
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
                grown = growth(rounds, str(count), str(counts[0]), _MORE)
                yield made | {"by": BY_ACCOUNTS, "accounts": count} | grown
