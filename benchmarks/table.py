"""The table that a run prints, one line as soon as its figures are there."""

from typing import Any

_Row = dict[str, Any]
QUIET = 0.2
"""The share of a core from which on other programs disturb a measurement."""
LEGEND = (
    "ratio: to the bare handler on Tornado's own server, median of the pairs (their spread); cpu: us per request of\n"
    "the server + mongod, beside the bare handler's; busy: share of a core that the server had, and that the loader had"
)


def line(row: _Row) -> str:
    """Return the line of a row."""
    return f"{row['endpoint']:40} {_of_requests(row) if row['measure'] == 'requests/s' else _of_value(row)}"


def _of_requests(row: _Row) -> str:
    low, high = row["spread"]
    cpu, ours = row["cpu"], row["ours"]
    return "  ".join(
        (
            f"ratio {row['ratio']:6.3f} ({low:.3f}..{high:.3f})",
            f"{_goal(row):18}",
            f"{ours['rate']:7,.0f}/s, bare {row['bare']['rate']:6,.0f}/s",
            f"cpu {cpu['server']:5.0f} + {cpu['mongod']:4.0f}, bare {cpu['bare']:4.0f}",
            f"p50 {ours['p50']:6.1f} ms, p99 {ours['p99']:6.1f} ms",
            f"busy {ours['server_share']:.0%}, {ours['loader_share']:.0%}",
            *remarks(row),
        )
    )


def _of_value(row: _Row) -> str:
    low, high = row["spread"]
    text = f"{row['value']:8.2f} {row['measure']} (at most {row['at_most']:g}, {_verdict(row)})"
    bare = f"bare {row['bare_value']:.2f}"
    return "  ".join((text, bare, f"ratio {row['ratio']:.2f} ({low:.2f}..{high:.2f})", *remarks(row)))


def _goal(row: _Row) -> str:
    if row["waits_goal"] is not None:
        return f"p50 x {row['waits_ratio']:.1f} < {row['waits_goal']:g} {_verdict(row)}"
    if row["goal"] is not None:
        return f"goal {row['goal']:<4} {_verdict(row)}"
    if "cpu_to_first" in row:
        return f"cpu x {row['cpu_to_first']:.2f} {_verdict(row)}"
    return ""


def _verdict(row: _Row) -> str:
    return {True: "ok", False: "MISSED", None: ""}[row["reached"]]


def remarks(row: _Row) -> list[str]:
    """Return notes on a row: a loader at its limit, errors, comparisons that only some rows have."""
    notes = [f"! the loader is at its limit with {name}" for name in row.get("limited_by_loader", ())]
    disturbed = [row[name]["others_share"] for name in ("bare", "ours") if name in row]
    if disturbed and max(disturbed) > QUIET:
        notes.append(f"! other programs took {max(disturbed):.0%} of a core")
    if row.get("errors"):
        notes.append(f"! {row['errors']} errors")
    if row.get("to_obvious"):
        notes.append(f"{row['to_obvious']:.1f} x the obvious handler")
    if "evenness" in row:
        notes.append(f"smallest share {row['evenness']:.0%} of an even one, by cpu {row['cpu_evenness']:.0%}")
    if "cpu_to_apart" in row:
        notes.append(f"cpu x {row['cpu_to_apart']:.2f} of two servers apart")
    if "offered" in row:
        notes.append(f"p50 {row['p50']:.1f} ms at {row['offered']:,.0f}/s; loader late {row['loader_late_ms']:.1f} ms")
    return notes
