"""Every request beside the bare handler: one size, one process."""

import contextlib
from collections.abc import Iterator

from benchmarks.cases import BARE_ON_OURS_NAME, Case, Supplies, chosen
from benchmarks.house import House
from benchmarks.programs import BARE, BARE_ON_OURS, OBVIOUS, Program, flexiapi, plain
from benchmarks.rounds import OURS, Row, compared, interleaved, rate, row


@contextlib.contextmanager
def _servers(house: House) -> Iterator[dict[str, Program]]:
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(plain(kind, house.uri)) for kind in (BARE, BARE_ON_OURS, OBVIOUS)}
        servers[OURS] = stack.enter_context(flexiapi(house.uri, house.folder))
        yield servers


def measured(house: House, supplies: Supplies, part: str) -> Iterator[Row]:
    """Measure the requests whose name contains `part`."""
    with _servers(house) as servers:
        for server in servers.values():
            house.bare(server, Case("warm-up", "/"))()  # its figures do not count
        for case in chosen(part):
            yield _measure(house, supplies, servers, case)
        if part in BARE_ON_OURS_NAME:
            yield _bare_on_ours(house, servers)


def _measure(house: House, supplies: Supplies, servers: dict[str, Program], case: Case) -> Row:
    loads = {BARE: house.bare(servers[BARE], case), OURS: house.load(servers[OURS], case, supplies)}
    if case.obvious:
        loads[OBVIOUS] = house.load(servers[OBVIOUS], case, supplies)
    rounds = interleaved(loads, house.options.rounds)
    made = row(case, rounds)
    made["to_obvious"] = round(compared(rounds, OURS, OBVIOUS, rate).median, 2) if case.obvious else None
    return made


def _bare_on_ours(house: House, servers: dict[str, Program]) -> Row:
    case = Case(BARE_ON_OURS_NAME, "/")
    loads = {kind: house.bare(servers[kind], case) for kind in (BARE, BARE_ON_OURS)}
    return row(case, interleaved(loads, house.options.rounds), BARE_ON_OURS)
