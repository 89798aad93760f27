"""What Flexisip's ExternalAuthentication plugin asks: not under `/api`, and no JSON."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.errors import Forbidden
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Switch
from flexiapi.web.replies import PlainText


class SipAuthEndpoint(ApiEndpoint):
    """Each SIP request that carries credentials comes by here."""

    path = "/sip/auth"

    @endpoint(
        Access.PUBLIC,
        raises=(Forbidden,),
        effects=True,
        secret=True,
        hidden=True,
        switch=Switch(lambda exchange: exchange.services.sip_sign_in.is_enabled),
    )
    async def get(self) -> PlainText:
        """Tell whether the DIGEST parameters in the query are right, in the plugin's own line format."""
        if not self.context.peers.is_within(self.request, self.services.sip_sign_in.networks):
            raise Forbidden
        return PlainText((await self.services.sip_sign_in.answer(self.query)).encode())
