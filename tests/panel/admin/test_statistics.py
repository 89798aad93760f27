"""Accounts created, as bars and as a table."""

import re
from datetime import timedelta

import pytest

from flexiapi.model import CreationCount
from flexiapi.rendering.panel.charts import HEIGHT, WIDTH, StatisticsRow, chart_of, total_of
from tests.kit.server import shared_by_module

server = shared_by_module({})


@pytest.mark.parametrize(("period", "rows"), [("day", 25), ("week", 8), ("month", None)])
def test_bars_and_table_have_the_same_numbers(server, browser, period, rows):
    if period == "day":
        server.person("with.phone", phone="+33612345678")
    server.person(f"waits.{period}", activated=False)
    page = browser.open(f"/admin/statistics/{period}").text
    table = re.findall(r'<tr><th scope="row">.*?</th>(.*?)</tr>', page)
    numbers = [tuple(map(int, re.findall(r"(\d+)</td>", row))) for row in table]
    assert len(numbers) == rows if rows else len(numbers) in range(29, 33)
    total, phones, activated = map(sum, zip(*numbers, strict=True))
    assert (total > activated > 0, phones) == (True, 1)
    assert f"{total} accounts were created; {phones} with a phone number, {activated} activated." in page
    svg = re.search(r'<svg class="chart" .*?</svg>', page, re.DOTALL)[0]
    bars = {
        kind: len(re.findall(rf'<rect class="bar{kind}" x="[\d.]+" y="[\d.]+" width="[\d.]+" height', svg))
        for kind in ("", " second", " third")
    }
    assert bars == {"": sum(row[0] > 0 for row in numbers), " second": 1, " third": sum(row[2] > 0 for row in numbers)}


def test_the_picture_is_told_in_words_and_needs_no_style_of_its_own(browser):
    page = browser.open("/admin/statistics/week").text
    svg = re.search(r'<svg class="chart" .*?</svg>', page, re.DOTALL)[0]
    assert 'role="img" aria-labelledby="chart-title chart-text"' in svg
    assert re.search(r'<title id="chart-title">\w+', svg)
    assert re.search(r'<desc id="chart-text">\w+', svg)
    assert "style=" not in page.partition("</head>")[2]
    assert "fill=" not in svg


def test_other_periods_do_not_exist_and_the_first_is_the_day(browser):
    assert browser.open("/admin/statistics/century").status_code == 404
    assert browser.open("/admin/statistics").url.path == "/admin/statistics/day"


@pytest.mark.parametrize("values", [[], [0], [1], [3, 1, 4], [999], [1000] * 32, [123_456_789, 1]])
def test_a_chart_stays_within_its_frame(server, values):
    start = server.clock.second()
    rows = [StatisticsRow(start + timedelta(days=n), CreationCount(v, v // 2, v, 0)) for n, v in enumerate(values)]
    chart = chart_of(rows, "%d")
    for bar in chart.bars:
        assert 0 < bar.x < bar.x + bar.width <= WIDTH
        assert 0 <= bar.y < bar.y + bar.height <= HEIGHT
    tops = [int(line.text) for line in chart.lines]
    assert tops == sorted(set(tops))
    assert tops[-1] >= max(values, default=0)
    assert len(chart.labels) <= 13
    assert total_of(rows).accounts == sum(values)
