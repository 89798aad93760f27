"""The state of the accounts and of the server at a glance."""

import asyncio
from collections.abc import Awaitable

from flexiapi.errors import Unavailable
from flexiapi.panel.admin.office_endpoint import is_of_operators
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import Budget
from flexiapi.rendering.panel.operation import Figure, OverviewPage, ServerHealth
from flexiapi.services.accounts import AccountTotals
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_ALL = "total"


class OverviewEndpoint(PanelEndpoint):
    """The first page of administrators."""

    path = "/admin"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show counts, last changes, and for operators the health of the server."""
        overview = self.accounts.overview
        totals, recent = await asyncio.gather(overview.totals(self.space), overview.recent(self.space))
        health = await self._health() if is_of_operators(self) else None
        frame = self.frame(marked("Overview"))
        return self.panel_page(OverviewPage(frame, _figures(totals), recent.events, recent.accounts, health))

    async def _health(self) -> ServerHealth:
        services = self.context.services
        registrar, replica, reasons, budgets = await asyncio.gather(
            _answers(self.phones.devices.check()),
            _answers(self.context.check_settling()),
            self.context.unready(),
            services.limiter.sms_budgets(),
        )
        return ServerHealth(
            self.phones.backends.states(),
            registrar if self.phones.devices.is_known else "none",
            replica if self.settings.flexisip.auth_replica else "none",
            reasons,
            [Budget("" if one.name == _ALL else one.name, one.used, one.most, one.ends_at) for one in budgets],
        )


async def _answers(check: Awaitable[None]) -> str:
    try:
        await check
    except Unavailable:
        return "away"
    return "ok"


def _figures(totals: AccountTotals) -> list[Figure]:
    accounts = "/admin/accounts"
    return [
        Figure(marked("Accounts"), totals.accounts, accounts),
        Figure(marked("Activated accounts"), totals.activated, f"{accounts}?activated=true"),
        Figure(marked("Administrators"), totals.admins, f"{accounts}?admin=true"),
        Figure(marked("Created in the last 24 hours"), totals.of_day, "/admin/statistics/day"),
        Figure(marked("Created in the last 7 days"), totals.of_week, "/admin/statistics/week"),
    ]
