"""The interface of Flexisip's ExternalAuthentication plugin. Its path is not under `/api`."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.errors import Forbidden
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Switch
from flexiapi.web.replies import PlainText


class SipAuthEndpoint(ApiEndpoint):
    """Verification of the credentials of SIP requests."""

    path = "/sip/auth"
    is_never_throttled = True

    @endpoint(
        Access.PUBLIC,
        raises=(Forbidden,),
        effects=True,
        keeps_accounts=True,
        secret=True,
        hidden=True,
        switch=Switch(lambda exchange: exchange.sign_in.sip.is_enabled),
    )
    async def get(self) -> PlainText:
        """Verify the DIGEST parameters in the query. The answer has the plugin's own line format."""
        if not self.context.peers.is_within(self.request, self.sign_in.sip.networks):
            raise Forbidden
        return PlainText((await self.sign_in.sip.answer(self.query, self.space)).encode())
