"""Command `make bench`, which prints a table of the results and writes them as JSON.

The goals are those of requests/s in proportion to a bare Tornado handler. The command succeeds also below them.
"""

import argparse
import sys
from collections.abc import Iterator

from benchmarks import endpoints, panel, results, scale, sharing, table, upkeep
from benchmarks.house import House, Options, house
from benchmarks.load import missing
from benchmarks.plot import renew
from benchmarks.programs import allow_descriptors
from benchmarks.rounds import Row


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=1, help="per load")
    parser.add_argument("--rounds", type=int, default=3, help="loads per server; the median of their ratios counts")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="", help="part of an endpoint's name")
    parser.add_argument(
        "--scale",
        action="store_true",
        help="also 1,000 to 1,000,000 accounts, and 1 to N processes (some minutes more)",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="also make docs/performance.md and its picture from these results; with --only, from the published ones "
        "with these in their place",
    )
    return parser.parse_args()


def _rows(built: House, options: argparse.Namespace) -> Iterator[Row]:
    supplies = built.fill(options.accounts)
    yield from endpoints.measured(built, supplies, options.only)
    yield from upkeep.measured(built, supplies, options.only)
    yield from panel.measured(built, options.only)
    if options.scale:
        yield from sharing.processes(built, supplies, options.only)
        yield from scale.sizes(built, options.only)


def main() -> None:
    options = _chosen()
    if missing():
        sys.exit("`make bench` needs wrk: apt-get install wrk")
    allow_descriptors()
    rows: list[Row] = []
    with house(Options(options.seconds, options.rounds, options.connections)) as built:
        for row in _rows(built, options):
            # What a row does not say of itself is as chosen for the run.
            whole = {"accounts": options.accounts, "processes": 1, **row}
            whole["connections"] = whole.get("connections") or options.connections
            rows.append(whole)
            print(table.line(whole), flush=True)
    print(table.LEGEND)
    if options.publish:
        chosen = {name: getattr(options, name) for name in ("accounts", "seconds", "rounds", "connections")}
        whole_run = results.published(rows, **chosen)
        results.write(results.PUBLISHED, results.with_new(rows) if options.only else whole_run)
        renew()
    results.write(results.LATEST, rows)


if __name__ == "__main__":
    main()
