"""The calls of an account, as the SIP server reported them."""

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Id
from flexiapi.panel.user.calls import CallsQuery
from flexiapi.rendering.panel.calls import CallLine, CallsTab
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class CallsTabEndpoint(AccountFormEndpoint):
    """The call log of an account."""

    path = "/admin/accounts/{id}/calls"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, query: CallsQuery) -> PageReply:
        """Show the calls from and to the account, the newest first."""
        del id
        account, log = await self.account(), self.calls.call_log
        found = await log.of(account, query.page)
        page = CallsTab(
            self.frame(account.address),
            account,
            self.is_mine(account),
            [CallLine.of(call, account) for call in found.calls],
            found.number,
            found.last,
            found.total,
            log.is_kept,
        )
        return self.panel_page(page)
