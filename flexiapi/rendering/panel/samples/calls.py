"""Samples of pages about calls and messages."""

from datetime import UTC, datetime, timedelta

from flexiapi.model import Account, CallCount, MessageCount
from flexiapi.rendering.panel.calls import CallLine, CallRow, CallsTab, MessageRow, MyCallsPage, ReportStatisticsPage
from flexiapi.rendering.panel.charts import chart_of
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import FRAME

_AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
_ACCOUNT = Account(id=12, username="alice.martin", domain="sip.example.org", created_at=_AT, updated_at=_AT)
_LINES = [
    CallLine(_AT, True, "bob@sip.example.org", "answered", timedelta(seconds=75), 2),
    CallLine(_AT, False, "carol@sip.example.org", "not answered", None, 1),
]
_CALLS = [CallRow(_AT + timedelta(hours=one), CallCount(one, one // 2, one * 60)) for one in range(25)]
_MESSAGES = [MessageRow(_AT + timedelta(days=one), MessageCount(one, one // 2)) for one in range(8)]

PAGES: tuple[PanelPage, ...] = (
    MyCallsPage(FRAME, _LINES, 2, 3, 62),
    MyCallsPage(FRAME, (), 1, 1, 0),
    MyCallsPage(FRAME, (), 1, 1, 0, is_kept=False),
    CallsTab(FRAME, _ACCOUNT, False, _LINES, 1, 1, 2),
    CallsTab(FRAME, _ACCOUNT, False, (), 1, 1, 0, is_kept=False),
    ReportStatisticsPage(FRAME, "calls", "day", _CALLS, chart_of(_CALLS, "%H"), 300, 144),
    ReportStatisticsPage(FRAME, "messages", "week", _MESSAGES, chart_of(_MESSAGES, "%d"), 28, 12, is_kept=False),
)
