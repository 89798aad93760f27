"""Statistics of account creations."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.statistics import CreationsView
from flexiapi.model import KeyScope
from flexiapi.services.accounts import Period
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access

Figures = dict[str, CreationsView]

_EXAMPLE = {"2023-07-04": {"all": 3, "phone": 1, "email": 2, "activated_phone": 1, "activated_email": 0}}
_HOURS = {"2023-07-04 14": _EXAMPLE["2023-07-04"]}


class _Statistics(ApiEndpoint):
    async def _figures(self, period: Period) -> Figures:
        figures = await self.accounts.statistics.of(period, self.space)
        return {key: CreationsView.of(made) for key, made in figures.items()}


class StatisticsOfDayEndpoint(_Statistics):
    """Account creations of the last 24 hours."""

    path = "/api/statistics/day"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, example=_HOURS)
    async def get(self) -> Figures:
        """Retrieve registrations statistics for 24 hours."""
        return await self._figures(Period.DAY)


class StatisticsOfWeekEndpoint(_Statistics):
    """Account creations of the last seven days."""

    path = "/api/statistics/week"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, example=_EXAMPLE)
    async def get(self) -> Figures:
        """Retrieve registrations statistics for a week."""
        return await self._figures(Period.WEEK)


class StatisticsOfMonthEndpoint(_Statistics):
    """Account creations of the last month."""

    path = "/api/statistics/month"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, example=_EXAMPLE)
    async def get(self) -> Figures:
        """Retrieve registrations statistics for a month."""
        return await self._figures(Period.MONTH)


class StatisticOfDayEndpoint(StatisticsOfDayEndpoint):
    """The same statistics at the path that older clients use."""

    path = "/api/statistic/day"


class StatisticOfWeekEndpoint(StatisticsOfWeekEndpoint):
    """The same statistics at the path that older clients use."""

    path = "/api/statistic/week"


class StatisticOfMonthEndpoint(StatisticsOfMonthEndpoint):
    """The same statistics at the path that older clients use."""

    path = "/api/statistic/month"
