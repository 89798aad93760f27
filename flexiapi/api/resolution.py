"""SIP addresses, as Flexisip asks for them before it routes a call."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Sip, required_address
from flexiapi.api.views.call_forwardings import FoundAccount, ResolvedView
from flexiapi.errors import RecordNotFound
from flexiapi.model import KeyScope
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


class ResolveEndpoint(ApiEndpoint):
    """The account of a SIP address, with its call forwarding."""

    path = "/api/resolve/{sip}"

    @endpoint(Access.ADMIN, scope=KeyScope.FLEXISIP, raises=(RecordNotFound,))
    async def get(self, sip: Sip) -> ResolvedView:
        """Resolve a SIP address to an account, with the rules of call forwarding that calls to it follow.

        Rules that are disabled, or whose target is gone, are left out, and so are all of an account that is not active.
        A rule for calls without answer has the name that Flexisip reads: `away`, or that of `flexisip.no_answer_name`.
        """
        resolved = await self.calls.resolution.of(*required_address(sip), self.reach)
        return ResolvedView.of(resolved)


class AccountBySipEndpoint(ApiEndpoint):
    """An account by its SIP address."""

    path = "/api/accounts/{sip}/search"

    @endpoint(Access.ADMIN, scope=(KeyScope.FLEXISIP, KeyScope.ACCOUNTS_READ), raises=(RecordNotFound,))
    async def get(self, sip: Sip) -> FoundAccount:
        """Search for a specific account by sip address.

        `call_forwardings` are the rules that calls to it follow now, as `GET /api/resolve/{sip}` has them.
        """
        resolved = await self.calls.resolution.of(*required_address(sip), self.reach)
        return FoundAccount.found(resolved, await self.view_data(resolved.account))
