"""The command `make bench`, on few accounts."""

import json
import subprocess
import sys

import pytest

from benchmarks.results import LATEST
from tests.kit.checkout import ROOT, environment
from tests.kit.programs import binary_of


def bench(*arguments, **variables):
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=500, check=False
    )


@pytest.fixture
def latest():
    """The file of the last run, which is put back afterwards."""
    before = LATEST.read_text() if LATEST.exists() else None
    LATEST.unlink(missing_ok=True)
    yield LATEST
    if before is None:
        LATEST.unlink(missing_ok=True)
    else:
        LATEST.write_text(before)


def test_a_missing_loader_is_named(tmp_path, latest):
    done = bench("--accounts", "10", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install wrk" in done.stderr
    assert not latest.exists()


@pytest.mark.slow
def test_a_short_run_prints_its_rows_and_writes_them(latest):
    binary_of("wrk")
    done = bench("--accounts", "200", "--rounds", "2", "--seconds", "1", "--only", "info")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(latest.read_text())
    assert row["endpoint"] == "GET accounts/{sip}/info"
    assert row["endpoint"] in done.stdout
    assert row["spread"][0] <= row["ratio"] <= row["spread"][1]
    assert row["cpu"]["server"] > 0
    assert row["cpu"]["both"] == pytest.approx(row["cpu"]["server"] + row["cpu"]["mongod"], abs=0.2)
    assert (row["accounts"], row["processes"], row["connections"], row["rounds"]) == (200, 1, 64, 2)
    assert row["errors"] == 0


@pytest.mark.slow
def test_memory_and_waits_under_an_open_loop_are_rows_too(latest):
    binary_of("wrk")
    for part, measures in (("of a", ["MB", "kB"]), ("open loop", ["p99 ms"])):
        done = bench("--accounts", "200", "--rounds", "1", "--only", part)
        assert done.returncode == 0, done.stderr
        rows = json.loads(latest.read_text())
        assert [row["measure"] for row in rows] == measures
        assert all(row["ratio"] > 0 and row["value"] > 0 and part in row["endpoint"] for row in rows)
