"""Accounts created, as bars and as a table."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from flexiapi.model import EVERYWHERE, CreationCount, ReportedDevice, ReportedOutcome, ReportKind, SipReport
from flexiapi.rendering.panel.charts import HEIGHT, WIDTH, StatisticsRow, chart_of, total_of
from flexiapi.store import FiledReport
from tests.kit.server import shared_by_module

server = shared_by_module({"statistics": {"days": 30}})


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


class TestReports:
    """Calls and messages that the SIP server reported, and the calls of an account."""

    @pytest.fixture
    def told(self, server):
        """A call that was answered and one that was not, and a message, of an account."""
        person, at = server.person(), server.clock.second()
        accepted = ReportedDevice("key", person.sip, outcome=ReportedOutcome(at, "accepted"))
        call = SipReport(kind=ReportKind.CALL, id="a", sender=person.sip, receivers=("b@far.example.org",), begun_at=at)
        taken = replace(accepted, outcome=ReportedOutcome(at, 200))
        message = replace(call, kind=ReportKind.MESSAGE, devices=(taken,))
        reports = (call, replace(call, id="b", devices=(accepted,)), message)
        filed = [FiledReport(one, server.store.spaces.default, EVERYWHERE) for one in reports]
        server.run(server.store.sip_reports.write(filed, at))
        return person

    @pytest.mark.parametrize("period", ["day", "week", "month"])
    def test_their_numbers_are_shown_as_bars_and_as_a_table(self, browser, told, period):
        for kind, text in (("calls", "2 calls; 1 answered."), ("messages", "1 message; 1 delivered.")):
            page = browser.open(f"/admin/statistics/{period}/{kind}").text
            assert text in page
            svg = re.search(r'<svg class="chart" .*?</svg>', page, re.DOTALL)[0]
            assert (svg.count('class="bar"'), svg.count('class="bar second"')) == (1, 1)
            assert f'href="/admin/statistics/{period}/calls"' in page
            assert f'href="/admin/statistics/week/{kind}"' in page

    def test_an_account_shows_its_calls(self, server, browser, told):
        page = browser.open(f"/admin/accounts/{told.id}/calls").text
        assert page.count("b@far.example.org") == 2
        assert "There are no calls." in browser.open(f"/admin/accounts/{server.person().id}/calls").text
        assert browser.open("/admin/accounts/999999/calls").status_code == 404


def test_without_the_setting_pages_say_that_nothing_is_kept(server, browser, monkeypatch):
    monkeypatch.setattr(server.services.calls.call_log, "is_kept", False)
    assert "the setting statistics.days is 0" in browser.open("/admin/statistics/day/calls").text
    assert "This server keeps no calls." in browser.open(f"/admin/accounts/{server.person().id}/calls").text
