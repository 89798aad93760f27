"""The numbers of calls and messages that the SIP server reported, as bars and as tables."""

from collections.abc import Sequence
from datetime import date, timedelta

from flexiapi.panel.admin.statistics import PeriodName
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.calls import CallRow, MessageRow, ReportStatisticsPage
from flexiapi.rendering.panel.charts import chart_of
from flexiapi.services.accounts import Period
from flexiapi.services.calls import Grain, Span
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_WEEK = timedelta(days=7)


class _ReportStatistics(PanelEndpoint):
    def span_of(self, period: str) -> Span:
        """Return the hours of the last day, or the days of the last week or month."""
        log = self.calls.call_log
        if period == Period.DAY:
            return log.span(None, None, Grain.HOUR)
        whole = log.span(None, None, Grain.DAY)
        since: date = whole.until - _WEEK if period == Period.WEEK else whole.since
        return log.span(since, None, Grain.DAY)

    def shown(self, kind: str, period: str, rows: Sequence[CallRow] | Sequence[MessageRow]) -> PageReply:
        """Return the page of the numbers."""
        total, some = (sum(row.values[place] for row in rows) for place in (0, 1))
        chart = chart_of(rows, "%H" if period == Period.DAY else "%d")
        frame, is_kept = self.frame(marked("Statistics")), self.calls.call_log.is_kept
        return self.panel_page(ReportStatisticsPage(frame, kind, period, rows, chart, total, some, is_kept))


class CallStatisticsEndpoint(_ReportStatistics):
    """The numbers of calls of a period."""

    path = "/admin/statistics/{period}/calls"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self, period: PeriodName) -> PageReply:
        """Show the calls of the period."""
        counts = await self.calls.call_log.call_counts(self.span_of(period), self.space)
        return self.shown("calls", period, [CallRow(at, count) for at, count in counts.items()])


class MessageStatisticsEndpoint(_ReportStatistics):
    """The numbers of messages of a period."""

    path = "/admin/statistics/{period}/messages"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self, period: PeriodName) -> PageReply:
        """Show the messages of the period."""
        counts = await self.calls.call_log.message_counts(self.span_of(period), self.space)
        return self.shown("messages", period, [MessageRow(at, count) for at, count in counts.items()])
