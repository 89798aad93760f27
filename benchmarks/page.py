"""The tables of `docs/performance.md`, between marks in it, made from published results."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.picture import Row, of_one_size, of_sizes
from benchmarks.table import QUIET

_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HOUR = 3600
_HALF = 0.5
_NOT_MEASURED = "Not in these results: they were made without `--scale`.\n"
# Requests whose lookups are never sent together with those of others.
_NEVER_TOGETHER = ("GET /sip/auth", "GET vcard, 200 contacts")
# What one phone asks for, with the requests of one such occasion.
_OCCASIONS = {
    "starts, with an API key: account, configuration": ("GET accounts/me by key", "GET /provisioning/me"),
    "starts, with DIGEST: challenge, account, configuration": (
        "GET accounts/me, 401",
        "GET accounts/me, DIGEST",
        "GET /provisioning/me",
    ),
    "starts with a fresh list of 200 contacts": (
        "GET accounts/me by key",
        "GET /provisioning/me",
        "GET vcard, 200 contacts",
    ),
    "registers at a Flexisip that asks `/sip/auth`": ("GET /sip/auth",),
    "creates its account": ("POST with-…-token",),
}


def renewed(page: str, results: dict[str, Any]) -> str:
    """Return the page with its tables made anew. Raises `KeyError` if it asks for one that does not exist."""
    return _MARK.sub(lambda found: f"{found[1]}{TABLES[found[2]](results)}{found[3]}", page)


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    return (
        f"{results['day']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB; "
        f"Python {machine['python']}, {libraries}. "
        f"{results['accounts']:,} accounts, {results['connections']} connections, {results['rounds']} rounds of "
        f"{results['seconds']} s for each load.{_disturbed(results['rows'])}\n"
    )


def _disturbed(rows: list[Row]) -> str:
    shares = [row[server]["others_share"] for row in rows for server in ("ours", "bare") if server in row]
    most = max(shares, default=0.0)
    if most <= QUIET:
        return ""
    return f" Other programs took up to {most:.0%} of a core meanwhile: of these figures only CPU is worth something."


def _endpoints(results: dict[str, Any]) -> str:
    head = (
        "request",
        "ratio",
        "spread",
        "goal",
        "requests/s",
        "CPU: server",
        "mongod",
        "bare handler",
        "p50 ms",
        "p99 ms",
    )
    rows = of_one_size(results["rows"])
    return _table(
        head,
        (
            (
                f"`{row['endpoint']}`",
                f"{row['ratio']:.2f}{'' if row['reached'] in (True, None) else ' ↓'}",
                f"{row['spread'][0]:.2f} to {row['spread'][1]:.2f}",
                _goal(row),
                f"{row['ours']['rate']:,.0f}",
                f"{row['cpu']['server']:,.0f}",
                f"{row['cpu']['mongod']:,.0f}",
                f"{row['cpu']['bare']:,.0f}",
                f"{row['ours']['p50']:.1f}",
                f"{row['ours']['p99']:.1f}",
            )
            for row in rows
        ),
    )


def _goal(row: Row) -> str:
    if row["waits_goal"] is not None:
        return f"p50 {row['waits_ratio']:.1f} x, under {row['waits_goal']:g} x"
    return "" if row["goal"] is None else f"{row['goal']:g}"


def _upkeep(results: dict[str, Any]) -> str:
    rows = [row for row in results["rows"] if row["measure"] != "requests/s"]
    return _table(
        ("figure", "unit", "measured", "goal: under", "bare handler"),
        (
            (
                row["endpoint"],
                row["measure"],
                f"{row['value']:.1f}{'' if row['reached'] else ' ↓'}",
                f"{row['at_most']:g}",
                f"{row['bare_value']:.1f}",
            )
            for row in rows
        ),
    )


def _open_loop(results: dict[str, Any]) -> str:
    found = [row for row in results["rows"] if "offered" in row]
    return "".join(
        f"Offered were {row['offered']:,.0f} requests/s, half of the capacity of {row['capacity']:,.0f}, from "
        f"{row['connections']:,} connections; p50 was {row['p50']:.1f} ms, {row['errors']} had no answer or an error. "
        f"The loader was late by {row['loader_late_ms']:.1f} ms at its 99th percentile, which the figures include, "
        f"took {row['loader_share']:.0%} of a core, and could send {row['loader_sustains']:,} requests/s with a whole "
        "one.\n"
        for row in found
    )


def _processes(results: dict[str, Any]) -> str:
    rows = [row for row in results["rows"] if row.get("by") == "processes"]
    return _table(
        ("request", "requests/s", "CPU: server", "mongod", "to one process", "to two servers", "smallest share", "MB"),
        (
            (
                f"`{row['endpoint']}`",
                f"{row['ours']['rate']:,.0f}",
                f"{row['cpu']['server']:,.0f}",
                f"{row['cpu']['mongod']:,.0f}",
                f"{row['cpu_to_first']:.2f}",
                f"{row['cpu_to_apart']:.2f}" if "cpu_to_apart" in row else "",
                f"{row['evenness']:.0%}" if "evenness" in row else "",
                f"{row['megabytes']:.0f}",
            )
            for row in rows
        ),
    )


def _sizes(results: dict[str, Any]) -> str:
    sizes = of_sizes(results["rows"])
    counts = [row["accounts"] for row in next(iter(sizes.values()), [])]
    return _table(
        ("request", *(f"{count:,}" for count in counts), *(f"{count:,} to the first" for count in counts[1:])),
        (
            (
                f"`{name}`",
                *(f"{row['cpu']['server']:,.0f} + {row['cpu']['mongod']:,.0f}" for row in rows),
                *(f"{row['cpu_to_first']:.2f}" for row in rows[1:]),
            )
            for name, rows in sizes.items()
        ),
    )


def _phones(results: dict[str, Any]) -> str:
    factor = apart(results["rows"])
    costs = {
        row["endpoint"]: row["cpu"]["both"] * (1.0 if row["endpoint"] in _NEVER_TOGETHER else factor)
        for row in of_one_size(results["rows"])
    }
    return f"A request of its own costs {factor:.1f} times its part of a full load here.\n\n" + _table(
        ("a phone", "CPU, ms", "phones of one core in an hour"),
        (
            (occasion, f"{cost / 1e3:.2f}", f"{phones(cost):,}")
            for occasion, names in _OCCASIONS.items()
            if costs.keys() >= {*names}
            for cost in [sum(costs[name] for name in names)]
        ),
    )


def apart(rows: list[Row]) -> float:
    """Return the cost of requests that arrive apart, to that of those that a full load lets be read together."""
    together = [row["cpu"]["both"] for row in rows if row["endpoint"] == "GET accounts/me by key"]
    alone = [row["cpu"]["both"] for row in rows if "offered" in row]
    return max(alone[0] / together[0], 1.0) if alone and together else 1.0


def phones(microseconds: float) -> int:
    """Return the phones that one core serves in an hour with half of its time, in two digits that count."""
    count = _HALF * _HOUR * 1e6 / microseconds
    digits = len(str(int(count))) - 2
    return int(count // 10**digits) * 10**digits if digits > 0 else int(count)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_line(row) for row in rows]
    return "\n".join([_line(head), _line(("---",) * len(head)), *lines, ""]) if lines else _NOT_MEASURED


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "machine": _machine,
    "endpoints": _endpoints,
    "upkeep": _upkeep,
    "open_loop": _open_loop,
    "processes": _processes,
    "sizes": _sizes,
    "phones": _phones,
}
