"""The numbers of accounts that were created, as bars and as a table."""

from datetime import UTC, datetime
from typing import Annotated

from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import StatisticsPage
from flexiapi.rendering.panel.charts import StatisticsRow, chart_of, total_of
from flexiapi.services.accounts import Period
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.replies import PageReply

PeriodName = Annotated[str, Segment("day|week|month", "day", "the time before now that is counted")]


class StatisticsStartEndpoint(PanelEndpoint):
    """The way to the statistics of the last day."""

    path = "/admin/statistics"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Lead to the last day."""
        return self.see_other("/admin/statistics/day")


class StatisticsPageEndpoint(PanelEndpoint):
    """The statistics of a period."""

    path = "/admin/statistics/{period}"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self, period: PeriodName) -> PageReply:
        """Show the accounts that were created in the period."""
        wanted = Period(period)
        figures = await self.accounts.statistics.of(wanted, self.space)
        form, label = ("%Y-%m-%d %H", "%H") if wanted is Period.DAY else ("%Y-%m-%d", "%d")
        rows = [StatisticsRow(datetime.strptime(key, form).replace(tzinfo=UTC), made) for key, made in figures.items()]
        page = StatisticsPage(self.frame(marked("Statistics")), wanted, rows, chart_of(rows, label), total_of(rows))
        return self.panel_page(page)
