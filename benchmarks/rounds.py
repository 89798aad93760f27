"""Interleaved rounds: every server has its turn in each, so that what slows the machine slows all of them alike."""

import statistics
from collections.abc import Callable, Mapping

from benchmarks.arithmetic import Ratio, pairwise
from benchmarks.cases import Case
from benchmarks.load import Load
from benchmarks.programs import BARE

OURS = "ours"
_SATURATED = 0.95
Round = Mapping[str, Load]
Row = dict[str, object]


def interleaved(loads: Mapping[str, Callable[[], Load]], rounds: int) -> list[Round]:
    """Run all loads in their order, and that again for each round."""
    return [{name: load() for name, load in loads.items()} for _ in range(rounds)]


def compared(rounds: list[Round], name: str, base: str, figure: Callable[[Load], float]) -> Ratio:
    """Compare a figure of one server with that of another, round by round."""
    return pairwise([figure(one[name]) for one in rounds], [figure(one[base]) for one in rounds])


def rate(load: Load) -> float:
    return load.answers.rate


def median_wait(load: Load) -> float:
    return load.answers.p50


def cpu(load: Load) -> float:
    return load.cost.both


def cpu_of_server(load: Load) -> float:
    return load.cost.server


def row(case: Case, rounds: list[Round], name: str = OURS) -> Row:
    """Return the figures of a case: the ratios of its pairs, the cost over all rounds, medians of the rest."""
    ratio = compared(rounds, name, BARE, rate)
    waits, costs = compared(rounds, name, BARE, median_wait).median, _costs(rounds, name)
    return {
        "endpoint": case.name,
        "ratio": round(ratio.median, 3),
        "spread": [round(ratio.low, 3), round(ratio.high, 3)],
        "measure": "requests/s",
        "goal": case.goal,
        "waits_ratio": round(waits, 2),
        "waits_goal": case.waits,
        "reached": reached(case, ratio.median, waits),
        "cpu": costs,
        "cpu_ratio": round(costs["bare"] / costs["both"], 3) if costs["both"] else 0.0,
        "rounds": len(rounds),
        "connections": case.connections,
        "errors": 0 if case.refusals_expected else sum(one[name].answers.errors for one in rounds),
        "limited_by_loader": limited(rounds, name),
        "ours": _medians(rounds, name),
        "bare": _medians(rounds, BARE),
    }


def reached(case: Case, ratio: float, waits: float) -> bool | None:
    """Return whether the goal of a case is reached, `None` without one."""
    if case.waits is not None:
        return waits < case.waits
    return None if case.goal is None else ratio >= case.goal


def growth(rounds: list[Round], name: str, first: str, limit: float) -> Row:
    """Compare the cost per request with that of the first one, of the server alone and with mongod."""
    both = compared(rounds, name, first, cpu)
    server = compared(rounds, name, first, cpu_of_server)
    return {
        "cpu_to_first": round(both.median, 3),
        "cpu_to_first_spread": [round(both.low, 3), round(both.high, 3)],
        "server_cpu_to_first": round(server.median, 3),
        "reached": None if name == first else both.median <= limit,
    }


def limited(rounds: list[Round], name: str) -> list[str]:
    """Return the servers that wrk could not load any more, because it had used up its own core."""
    shares = {server: statistics.median(one[server].loader_share for one in rounds) for server in (BARE, name)}
    return [server for server, share in shares.items() if share >= _SATURATED]


def _costs(rounds: list[Round], name: str) -> dict[str, float]:
    """Return the processor time per request over all rounds, in microseconds."""
    return {
        "server": _per_request(rounds, name, cpu_of_server),
        "mongod": _per_request(rounds, name, lambda load: load.cost.mongod),
        "both": _per_request(rounds, name, cpu),
        "bare": _per_request(rounds, BARE, cpu_of_server),
    }


def _per_request(rounds: list[Round], name: str, figure: Callable[[Load], float]) -> float:
    loads = [one[name] for one in rounds]
    requests = sum(load.answers.requests for load in loads)
    return round(sum(figure(load) * load.answers.requests for load in loads) / max(requests, 1), 1)


def _medians(rounds: list[Round], name: str) -> dict[str, float]:
    loads = [one[name] for one in rounds]
    return {
        "rate": round(statistics.median(load.answers.rate for load in loads), 1),
        "p50": round(statistics.median(load.answers.p50 for load in loads), 3),
        "p99": round(statistics.median(load.answers.p99 for load in loads), 3),
        "server_share": round(statistics.median(load.server_share for load in loads), 2),
        "loader_share": round(statistics.median(load.loader_share for load in loads), 2),
        "others_share": round(statistics.median(load.others_share for load in loads), 2),
    }
