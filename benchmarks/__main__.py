"""Command `make bench`, which prints a table of the results and writes them as JSON."""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import data
from benchmarks.load import Figures, Process, measure, process
from flexiapi.store import EmbeddedMongod

_RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Case:
    """An endpoint under load; `goal` is the lowest acceptable ratio to the bare handler, at 64 connections."""

    name: str
    path: str
    script: str | None
    arguments: Callable[["Run"], tuple[str, ...]]
    goal: float
    refusals_expected: bool = False
    obvious: bool = False


@dataclass
class Run:
    """Parameters and state of a benchmark run."""

    uri: str
    folder: Path
    accounts: int
    seconds: int
    connections: int
    rounds: int = 3
    tokens: int = 0
    recovered: int = 0

    def random(self) -> tuple[str, ...]:
        return (str(self.accounts),)

    def answers(self) -> tuple[str, ...]:
        path = self.folder / "answers"
        data.write_digest_answers(path, self.accounts, self.seconds * 8_000)
        return (str(path),)

    def recoveries(self) -> tuple[str, ...]:
        self.recovered += self.seconds * 1_000
        return (str(self.recovered),)

    def sign_ups(self) -> tuple[str, ...]:
        first, count = self.tokens + 1, self.seconds * 3_000
        data.add_creation_tokens(self.uri, first, count)
        self.tokens += count
        return (str(first),)


CASES = (
    Case("GET /provisioning", "/provisioning", None, lambda _: (), 0.75),
    Case("GET accounts/{sip}/info", "/", "info.lua", Run.random, 0.55, obvious=True),
    Case("GET accounts/me, 401", "/api/accounts/me", "challenge.lua", Run.random, 0.55, refusals_expected=True),
    Case("GET accounts/me by key", "/api/accounts/me", "key.lua", Run.random, 0.45, obvious=True),
    Case("GET /provisioning/me", "/provisioning/me", "key.lua", Run.random, 0.40),
    Case("GET accounts/me, DIGEST", "/api/accounts/me", "digest.lua", Run.answers, 0.35),
    Case("GET accounts, page 1", "/api/accounts", "as.lua", lambda _: ("1",), 0.0),
    Case("GET accounts, page 5000", "/api/accounts?page=5000", "as.lua", lambda _: ("1",), 0.0),
    Case("GET vcard, 200 contacts", "/contacts/vcard", "as.lua", lambda _: (str(data.WITH_CONTACTS),), 0.0),
    Case("GET recover/{key}", "/", "recover.lua", Run.recoveries, 0.0),
    Case("POST with-…-token", "/api/accounts/with-account-creation-token", "create.lua", Run.sign_ups, 0.12),
)


def compare(run: Run, chosen: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with process("bare", run.uri) as bare, process("obvious", run.uri) as obvious, process("ours", run.uri) as ours:
        for case in CASES:
            if chosen not in case.name:
                continue
            bases, figures, plain = [], [], []
            for _ in range(run.rounds):
                bases.append(measure(bare, "/", None, run.seconds, run.connections))
                figures.append(_of(run, ours, case))
                if case.obvious:
                    plain.append(_of(run, obvious, case))
            rows.append(_row(case, _best(bases), _best(figures), _best(plain) if plain else None))
            print(_line(rows[-1]), flush=True)
        print(f"memory of the server process after the run: {ours.memory_megabytes():.0f} MB")
    return rows


def _best(figures: list[Figures]) -> Figures:
    """Return the round that other processes of the machine disturbed least."""
    return max(figures, key=lambda one: one.rate)


def _of(run: Run, server: Process, case: Case) -> Figures:
    return measure(server, case.path, case.script, run.seconds, run.connections, *case.arguments(run))


def _row(case: Case, base: Figures, ours: Figures, obvious: Figures | None) -> dict[str, object]:
    if ours.errors and not case.refusals_expected:
        print(f"! {case.name}: {ours.errors} answers were errors")
    return {
        "endpoint": case.name,
        "ratio": round(ours.rate / base.rate, 2),
        "goal": case.goal,
        "to_obvious": round(ours.rate / obvious.rate, 1) if obvious else None,
        "bare": asdict(base),
        "ours": asdict(ours),
        "obvious": asdict(obvious) if obvious else None,
    }


def _line(row: dict[str, object]) -> str:
    ours, bare = row["ours"], row["bare"]
    assert isinstance(ours, dict)
    assert isinstance(bare, dict)
    reached = "ok" if float(str(row["ratio"])) >= float(str(row["goal"])) else "BELOW"
    obvious = f"{row['to_obvious']}x" if row["to_obvious"] else "-"
    return (
        f"{row['endpoint']!s:26} {ours['rate']:7.0f}/s  bare {bare['rate']:6.0f}/s  ratio {row['ratio']:<5} "
        f"(goal {row['goal']}) {reached:5} obvious {obvious:>5}  p50 {ours['p50']:6.1f} ms  p99 {ours['p99']:6.1f} ms  "
        f"cpu {ours['cpu']:5.0f} us, bare {bare['cpu']:4.0f} us"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=3, help="per load")
    parser.add_argument("--rounds", type=int, default=3, help="loads per server, of which the best counts")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="", help="part of an endpoint's name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flexiapi-bench-") as name:
        folder = Path(name)
        mongod = EmbeddedMongod(folder)
        mongod.start()
        try:
            print(f"filling {options.accounts} accounts ...", flush=True)
            with process("ours", mongod.uri):
                pass  # creates the indexes
            data.fill(mongod.uri, options.accounts)
            run = Run(mongod.uri, folder, options.accounts, options.seconds, options.connections, options.rounds)
            rows = compare(run, options.only)
        finally:
            mongod.stop()
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "latest.json").write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
