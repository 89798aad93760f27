"""The arithmetic of the benchmarks: ratios, percentiles, the reports of wrk and of `/proc`."""

import math
import os
import time

import pytest

from benchmarks import costs
from benchmarks.arithmetic import Ratio, evenness, pairwise, percentile
from benchmarks.cases import Case
from benchmarks.load import Answers, Cost, Load, cost, report, together
from benchmarks.page import phones
from benchmarks.rounds import growth, interleaved, row

REPORT = """Running 1s test @ http://127.0.0.1:42187/api/accounts/me
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    22.12ms    9.47ms  98.27ms   88.49%
    Req/Sec     2.95k   410.55     3.44k    80.00%
  Latency Distribution
     50%   20.30ms
     75%   23.87ms
     90%   30.16ms
     99%    1.06s
  2935 requests in 1.00s, 1.72MB read
Requests/sec:   2930.57
Transfer/sec:      1.72MB
"""
BROKEN = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 10\nRequests/sec"


def load(rate, *, loader=0.1, p50=10.0, cpu=100.0, errors=0):
    return Load(Answers(int(rate), rate, p50, 50.0, errors), Cost(cpu, cpu / 4, cpu * 1.25), 0.9, loader)


def test_each_figure_is_compared_with_the_one_measured_beside_it():
    # The machine was half as fast in the second round: the ratios do not show it, the medians of the rates would.
    assert pairwise([600, 300, 660], [1000, 500, 1000]) == Ratio(0.6, 0.6, 0.66)
    assert pairwise([1, 3], [2, 2]).median == 1.0


@pytest.mark.parametrize("pairs", [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_a_figure_without_its_pair_is_refused(pairs):
    with pytest.raises(ValueError, match=r"pairs|argument"):
        pairwise(*pairs)


def test_rounds_are_interleaved():
    turns = []
    rounds = interleaved({"bare": lambda: turns.append("bare"), "ours": lambda: turns.append("ours")}, 2)
    assert turns == ["bare", "ours", "bare", "ours"]
    assert [list(one) for one in rounds] == [["bare", "ours"], ["bare", "ours"]]


def test_a_percentile_is_a_value_that_was_measured():
    hundred = list(range(100, 0, -1))
    assert (percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1)) == (50, 99, 100)
    assert percentile([7], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_shares_are_even_or_not():
    assert evenness([500, 500]) == 1
    assert evenness([250, 750]) == 0.5
    assert evenness([1000, 0]) == 0
    assert evenness([0, 0]) == 0


def test_the_report_of_wrk_is_read():
    assert report(REPORT) == Answers(requests=2935, rate=2930.57, p50=20.3, p99=1060.0, errors=0)
    assert report(REPORT.replace("20.30ms", "840.00us")).p50 == pytest.approx(0.84)


def test_refusals_and_broken_connections_are_errors():
    assert report(REPORT.replace("Requests/sec", BROKEN)).errors == 20


def test_a_report_that_lacks_something_is_refused():
    with pytest.raises(RuntimeError, match="wrk said nothing"):
        report("unable to connect")


def test_cost_is_time_over_requests():
    assert cost(server=0.5, mongod=0.25, requests=1000) == Cost(500.0, 250.0, 750.0)
    assert cost(server=0.5, mongod=0.0, requests=0).server == 500_000


def test_loads_at_the_same_time_count_their_mongod_once():
    whole = together([load(1000, cpu=100.0), load(500, cpu=400.0, errors=3)])
    assert (whole.answers.requests, whole.answers.rate, whole.answers.errors) == (1500, 1500, 3)
    # mongod took 25 ms for the first and 50 ms for the second, which are the same time.
    assert whole.cost == Cost(pytest.approx(200.0), pytest.approx(100 / 3), pytest.approx(200 + 100 / 3))


def test_growth_is_that_of_pairs_and_held_to_its_limit():
    rounds = [{"1": load(1000, cpu=100.0), "2": load(500, cpu=108.0)} for _ in range(3)]
    assert growth(rounds, "2", "1", 1.1) == {
        "cpu_to_first": 1.08,
        "cpu_to_first_spread": [1.08, 1.08],
        "server_cpu_to_first": 1.08,
        "reached": True,
    }
    assert growth(rounds, "2", "1", 1.05)["reached"] is False
    assert growth(rounds, "1", "1", 1.1)["reached"] is None


def test_a_row_has_the_ratios_of_its_pairs_and_the_cost_of_all_rounds():
    case = Case("name", "/", goal=0.6)
    rounds = [
        {"bare": load(1000), "ours": load(500, cpu=200.0)},
        {"bare": load(500), "ours": load(300, cpu=300.0, errors=2)},
        {"bare": load(1000), "ours": load(700, cpu=200.0)},
    ]
    made = row(case, rounds)
    assert (made["ratio"], made["spread"], made["reached"]) == (0.6, [0.5, 0.7], True)
    assert made["cpu"] == {"server": 220.0, "mongod": 55.0, "both": 275.0, "bare": 100.0}
    assert made["cpu_ratio"] == 0.364
    assert made["errors"] == 2
    assert row(Case("name", "/", goal=0.61), rounds)["reached"] is False
    assert row(Case("name", "/"), rounds)["reached"] is None


def test_refusals_that_a_case_wants_are_no_errors():
    rounds = [{"bare": load(1000), "ours": load(500, errors=500)}]
    assert row(Case("name", "/", refusals_expected=True), rounds)["errors"] == 0


def test_a_goal_of_waits_is_for_waits():
    rounds = [{"bare": load(1000, p50=0.2), "ours": load(300, p50=0.7)}]
    assert row(Case("name", "/", waits=4.0), rounds)["reached"] is True
    assert row(Case("name", "/", waits=3.0), rounds)["reached"] is False


def test_a_loader_at_its_limit_is_named():
    rounds = [{"bare": load(1000, loader=0.99), "ours": load(500)}]
    assert row(Case("name", "/"), rounds)["limited_by_loader"] == ["bare"]
    assert row(Case("name", "/"), [{"bare": load(1000), "ours": load(500)}])["limited_by_loader"] == []


def test_the_name_of_a_program_does_not_disturb_its_times():
    assert costs.ticks("7 (a (b) 1 2) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 9 9 20 0 1 0 1 1 1") == 300


def test_time_of_the_machine_is_all_but_idle_time():
    # user nice system idle iowait irq softirq steal guest guest_nice; guests are in user already.
    assert costs.busy_ticks("cpu  10 1 5 1000 70 2 3 4 9 1\ncpu0 10 1 5 1000 70 2 3 4 9 1\n") == 25


def test_times_and_memory_of_a_process_are_those_of_the_kernel():
    before, ours = costs.cpu_seconds([os.getpid()]), time.process_time()
    while time.process_time() < ours + 0.1:
        math.sqrt(2)
    assert costs.cpu_seconds([os.getpid()]) - before >= 0.08
    assert costs.resident("VmPeak:\t  900 kB\nVmRSS:\t  512 kB\n") == 512 * 1024
    assert costs.resident_bytes(os.getpid()) > 2**20


def test_phones_of_a_core_have_two_digits():
    assert phones(1_000) == 1_800_000
    assert phones(723.4) == 2_400_000
    assert phones(20_000_000) == 90
