"""The page about performance: its tables and its picture are those of the published results."""

import re
from xml.etree import ElementTree as ET

import pytest

from benchmarks import picture, table
from benchmarks.cases import CASES
from benchmarks.page import TABLES, renewed
from benchmarks.plot import PAGE, PICTURE, results
from benchmarks.results import published, write

SVG = "{http://www.w3.org/2000/svg}"
# The first of them, for users compare these from release to release.
STABLE = [
    "GET /provisioning",
    "GET accounts/{sip}/info",
    "GET accounts/me, 401",
    "GET accounts/me by key",
    "GET /provisioning/me",
    "GET accounts/me, DIGEST",
    "GET accounts, page 1",
    "GET accounts, page 5000",
    "GET vcard, 200 contacts",
    "GET recover/{key}",
    "POST with-…-token",
]


def request_row(name="GET accounts/me by key", **more):
    figures = {"rate": 900.0, "p50": 1.0, "p99": 2.0, "server_share": 0.9, "loader_share": 0.1, "others_share": 0.0}
    return {
        "endpoint": name,
        "measure": "requests/s",
        "accounts": 1000,
        "ratio": 0.9,
        "spread": [0.8, 1.0],
        "goal": 1.25,
        "waits_goal": None,
        "reached": False,
        "cpu": {"server": 200.0, "mongod": 50.0, "both": 250.0, "bare": 150.0},
        "ours": figures,
        "bare": figures,
        **more,
    }


def by_accounts(count, growth):
    name = f"GET accounts/me by key, {count:,} accounts"
    return request_row(name, goal=None, by="accounts", accounts=count, cpu_to_first=growth)


SCALE = [by_accounts(1_000, 1.0), by_accounts(1_000_000, 1.1)]


def test_page_picture_and_results_agree():
    current = results()
    assert renewed(PAGE.read_text(), current) == PAGE.read_text(), "run `python -m benchmarks.plot`"
    assert picture.svg(current["rows"]) == PICTURE.read_text(), "run `python -m benchmarks.plot`"
    assert set(re.findall(r"<!-- table: (\w+) -->", PAGE.read_text())) == TABLES.keys()


def test_published_results_are_whole():
    rows = results()["rows"]
    assert [row["endpoint"] for row in rows[: len(CASES)]] == [case.name for case in CASES]
    assert [row["endpoint"] for row in rows if row["reached"] is None and row.get("goal")] == []
    for row in rows:
        low, high = row["spread"]
        assert low <= row["ratio"] <= high, row["endpoint"]
        assert row["endpoint"] in table.line(row)


def test_rows_keep_their_names_and_their_order():
    assert [case.name for case in CASES[: len(STABLE)]] == STABLE


def test_the_goals_are_those_that_were_set():
    goals = [1.6, 1.2, 1.2, 0.9, 0.85, 0.6, 0.12, None, 0.08, None, 0.4]
    assert [case.goal for case in CASES[: len(STABLE)]] == goals


def test_a_changed_result_changes_its_table():
    page = "before <!-- table: endpoints -->\nold\n<!-- end --> after"
    made = renewed(page, {"rows": [request_row()]})
    assert "| `GET accounts/me by key` | 0.90 ↓ | 0.80 to 1.00 | 1.25 | 900 | 200 | 50 | 150 | 1.0 | 2.0 |" in made
    assert made.startswith("before ")
    assert made.endswith("<!-- end --> after")
    assert "old" not in made
    with pytest.raises(KeyError):
        renewed("<!-- table: other -->\n<!-- end -->", {"rows": []})


def test_the_page_says_that_other_programs_disturbed():
    about = {"day": "2026-11-30", "accounts": 1000, "connections": 64, "rounds": 3, "seconds": 1}
    machine = {"processor": "Some", "cores": 2, "memory_gb": 4, "python": "3.11.7", "libraries": {"tornado": "6.6.1"}}
    disturbed = request_row(bare={**request_row()["bare"], "others_share": 0.5})
    for row, says in ((request_row(), False), (disturbed, True)):
        made = renewed("<!-- table: machine -->\n<!-- end -->", {**about, "machine": machine, "rows": [row]})
        assert ("took up to 50% of a core" in made) is says


def test_phones_are_counted_by_what_requests_cost_at_half_of_the_load():
    key, configuration = request_row(), request_row("GET /provisioning/me")
    waits = request_row("GET accounts/me by key, open loop", measure="p99 ms", offered=1.0, cpu={"both": 500.0})
    made = renewed(
        "<!-- table: phones -->\n<!-- end -->", {"rows": [key, configuration, request_row("GET /sip/auth"), waits]}
    )
    assert "costs 2.0 times" in made
    assert "| starts, with an API key: account, configuration | 1.00 | 1,800,000 |" in made
    assert "| registers at a Flexisip that asks `/sip/auth` | 0.25 | 7,200,000 |" in made


def test_sizes_are_a_table_of_their_own():
    made = renewed("<!-- table: sizes -->\n<!-- end -->", {"rows": [request_row(), *SCALE]})
    assert "| `GET accounts/me by key` | 200 + 50 | 200 + 50 | 1.10 |" in made
    assert "without `--scale`" in renewed("<!-- table: sizes -->\n<!-- end -->", {"rows": [request_row()]})


def test_the_picture_has_a_bar_and_a_goal_where_the_figures_are():
    root = ET.fromstring(picture.svg([request_row("A <b>", ratio=1.0), request_row("C", goal=None)]))
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "bar"]
    goals = [one for one in root.iter(f"{SVG}line") if one.get("class") == "goal"]
    ones = {one.get("x1") for one in root.iter(f"{SVG}line") if one.get("class") == "one"}
    assert len(bars) == 2
    assert len(goals) == 1
    # The bar of a ratio of 1 ends at the line of 1.
    assert {str(float(bars[0].get("x")) + float(bars[0].get("width")))} == ones
    assert float(goals[0].get("x1")) > float(ones.pop())
    assert "A <b>" in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(("most", "end", "step"), [(1.0, 1.25, 0.25), (2.6, 2.75, 0.25), (13.0, 14.0, 2.0)])
def test_an_axis_has_few_marks_whatever_it_shows(most, end, step):
    axis = picture.axis_to(most)
    assert (axis.most, axis.step) == (end, step)
    assert len(axis.marks()) <= 12


def test_the_picture_shows_sizes_only_if_they_were_measured():
    assert not list(ET.fromstring(picture.svg([request_row()])).iter(f"{SVG}circle"))
    root = ET.fromstring(picture.svg([request_row(), *SCALE]))
    assert "1,000,000 accounts" in [text.text for text in root.iter(f"{SVG}text")]


def test_a_line_tells_what_makes_its_figures_doubtful():
    quiet = request_row(limited_by_loader=[], errors=0)
    assert table.remarks(quiet) == []
    disturbed = {**quiet["ours"], "others_share": 0.5}
    doubtful = request_row(limited_by_loader=["bare"], errors=3, ours=disturbed)
    assert table.remarks(doubtful) == [
        "! the loader is at its limit with bare",
        "! other programs took 50% of a core",
        "! 3 errors",
    ]


def test_results_are_written_in_one_step(tmp_path):
    file = tmp_path / "results" / "latest.json"
    write(file, [{"endpoint": "…"}])
    write(file, [{"endpoint": "POST with-…-token"}])
    assert "POST with-…-token" in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["latest.json"]
    assert published([], rounds=3)["rounds"] == 3
