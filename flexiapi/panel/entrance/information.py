"""Pages that explain: what each page is for, and what the program is made of."""

import flexiapi
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.components import components
from flexiapi.rendering.panel.entrance import AboutPage, ManualPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class ManualEndpoint(PanelEndpoint):
    """The user manual."""

    path = "/documentation"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Show what each page is for."""
        await self.visitor()
        settings = self.settings.panel
        registers = self.accounts.web_sign_up.registration(self.space) != "closed"
        page = ManualPage(self.frame(marked("Help")), registers, settings.phone, settings.devices)
        return self.panel_page(page)


class AboutEndpoint(PanelEndpoint):
    """The program."""

    path = "/about"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Show the program, its version and its components."""
        await self.visitor()
        return self.panel_page(AboutPage(self.frame(marked("About")), flexiapi.__version__, components()))
