"""What Flexisip's ExternalAuthentication plugin asks: not under `/api`, and no JSON."""

from flexiapi.api.handler import Handler
from flexiapi.errors import Forbidden
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PlainText


class SipAuthEndpoint(Handler):
    """Each SIP request that carries credentials comes by here."""

    path = "/sip/auth"

    @endpoint(
        Access.PUBLIC,
        raises=(Forbidden,),
        effects=True,
        secret=True,
        hidden=True,
        switch=lambda handler: handler.services.sip_sign_in.is_enabled,
    )
    async def get(self) -> PlainText:
        """Tell whether the DIGEST parameters in the query are right, in the plugin's own line format."""
        if not self.host.peers.is_within(self.request, self.services.sip_sign_in.networks):
            raise Forbidden
        return PlainText((await self.services.sip_sign_in.answer(self.request.query)).encode())
