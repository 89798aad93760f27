"""One's own calls, in the panel."""

import re
from datetime import timedelta

import pytest

from flexiapi.model import EVERYWHERE, ReportedDevice, ReportedOutcome, ReportKind, SipReport
from flexiapi.store import FiledReport
from tests.kit.server import shared_by_module

server = shared_by_module({"statistics": {"days": 30}})
NONE = "\N{EN DASH}"
EVIL = '"><script>alert(1)</script>@far.example.org'


@pytest.fixture
def report(server):
    """A function that stores a call, with the outcome of its one device."""

    def stored(call_id, sender, receiver, state=None, seconds=0):
        at = server.clock.second()
        outcome = None if state is None else ReportedOutcome(at, state)
        filed = SipReport(
            kind=ReportKind.CALL,
            id=call_id,
            sender=sender,
            receivers=(receiver,),
            begun_at=at,
            ended_at=at + timedelta(seconds=seconds),
            devices=(ReportedDevice("key", outcome=outcome),),
        )
        server.run(server.store.sip_reports.write([FiledReport(filed, server.store.spaces.default, EVERYWHERE)], at))

    return stored


def rows(page):
    """The cells of the table of calls, without the time."""
    found = re.findall(r"<tr><td.*?</tr>", page)
    return [tuple(re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row)[1:]) for row in found]


def test_each_call_says_with_whom_how_it_ended_and_how_long_it_was(server, me, person, report):
    other = server.person().sip
    assert "There are no calls." in me.open("/calls").text
    report("1", person.sip, other, "accepted", 75)
    report("2", other, person.sip, "declined")
    report("3", person.sip, other, "canceled")
    report("4", other, person.sip, "error")
    report("5", other, other, "accepted")
    found = rows(me.open("/calls").text)
    assert set(found) == {
        ("outgoing", other, "answered", "1:15"),
        ("incoming", other, "declined", NONE),
        ("outgoing", other, "not answered", NONE),
        ("incoming", other, "not reached", NONE),
    }


def test_names_of_others_are_text(me, person, report):
    report("evil", EVIL, person.sip)
    page = me.open("/calls").text
    assert "<script>alert" not in page
    assert "alert(1)" in page


def test_pages_lead_to_each_other(me, person, report):
    for number in range(31):
        report(f"of-pages{number}", person.sip, "bob@far.example.org")
    first = me.open("/calls").text
    assert len(rows(first)) == 30
    assert 'rel="next" href="/calls?page=2"' in first
    second = me.open("/calls?page=2").text
    assert len(rows(second)) == 1
    assert 'rel="prev" href="/calls?page=1"' in second
    assert "There are no calls any more on this page." in me.open("/calls?page=9").text
    assert 'rel="prev" href="/calls?page=2"' in me.open("/calls?page=9").text


def test_the_menu_leads_there_as_long_as_calls_are_kept(me):
    assert 'href="/calls"' in me.open("/dashboard").text
