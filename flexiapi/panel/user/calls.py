"""One's own calls, as the SIP server reported them."""

from typing import Annotated

from pydantic import BeforeValidator

from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.calls import CallLine, MyCallsPage
from flexiapi.services.conversions import page_number
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class CallsQuery(Params):
    """A page of calls."""

    page: Annotated[int, BeforeValidator(page_number)] = 1


class CallsPageEndpoint(PanelEndpoint):
    """The calls, page by page."""

    path = "/calls"

    @endpoint(Access.USER, hidden=True)
    async def get(self, query: CallsQuery) -> PageReply:
        """Show the calls from and to the account, the newest first."""
        log, me = self.calls.call_log, self.me
        found = await log.of(me, query.page)
        lines = [CallLine.of(call, me) for call in found.calls]
        page = MyCallsPage(self.frame(marked("My calls")), lines, found.number, found.last, found.total, log.is_kept)
        return self.panel_page(page)
