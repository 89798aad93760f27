"""The page of one's own account."""

from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.user import DashboardPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class DashboardEndpoint(PanelEndpoint):
    """The account at a glance."""

    path = "/dashboard"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the account."""
        return self.panel_page(DashboardPage(self.frame(marked("My account")), self.me.address))
