"""The page of the root, and the page of paths that do not exist."""

import secrets

from flexiapi.errors import RouteNotFound
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.panel.places import DASHBOARD
from flexiapi.rendering.pages import HomePage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class UnknownPage(PanelEndpoint):
    """A path without an endpoint, opened in a browser. Only the root has something to show."""

    path = "unknown"

    def exists(self) -> bool:
        """Return whether it is the root."""
        return not self.request.target.partition("?")[0].strip("/")

    @endpoint(Access.PUBLIC, raises=(RouteNotFound,), hidden=True)
    async def get(self) -> PageReply:
        """Go to the account of the session or to the sign-in; without the panel, say what this server is for."""
        if not self.settings.panel.enabled:
            return self.page(HomePage(secrets.token_urlsafe(12)))
        return self.see_other("/login" if await self.visitor() is None else DASHBOARD)
