"""SIP domains, as Flexisip asks for them."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import SipDomain
from flexiapi.api.views.spaces import SipDomainView
from flexiapi.errors import RecordNotFound
from flexiapi.model import KeyScope
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


class SipDomainsEndpoint(ApiEndpoint):
    """The SIP domains that the server has accounts for."""

    path = "/api/spaces"

    @endpoint(Access.ADMIN, scope=KeyScope.FLEXISIP)
    async def get(self) -> list[SipDomainView]:
        """Get the SIP domains of this server: those of its settings, and all others with an activated account.

        A new one may be missing for a minute. Flexisip refuses the calls of domains that are not in the list.
        """
        domains = await self.calls.served_domains.all(self.reach)
        return [SipDomainView(domain=domain) for domain in domains]


class SipDomainEndpoint(ApiEndpoint):
    """A SIP domain that the server has accounts for."""

    path = "/api/spaces/{domain}"

    @endpoint(Access.ADMIN, scope=KeyScope.FLEXISIP, raises=(RecordNotFound,))
    async def get(self, domain: SipDomain) -> SipDomainView:
        """Get a SIP domain of this server."""
        return SipDomainView(domain=await self.calls.served_domains.one(domain, self.reach))
