"""The base class of the endpoints of the JSON API."""

from collections.abc import Mapping
from typing import Protocol, cast

from flexiapi.api.reference import Documentation
from flexiapi.api.views.accounts import ViewData
from flexiapi.model import Account, AsContact, KeyScope, Scope, Types
from flexiapi.service_endpoint import ServiceEndpoint, ServicesContext
from flexiapi.services.calls import reach_of
from flexiapi.services.sign_in import SignedIn


class ApiContext(ServicesContext, Protocol):
    """The part of the application that the endpoints of the API use."""

    documentation: Documentation

    async def unready(self) -> Mapping[str, str]:
        """Return the reasons why requests should not be sent here, by subject."""


class ApiEndpoint(ServiceEndpoint):
    """The base class of the endpoints of the API. Failures are rendered as JSON."""

    context: ApiContext

    @property
    def signed_in(self) -> SignedIn:
        """The proven identity, on User and Admin operations that are not open to named keys."""
        return cast("SignedIn", self.identity)

    @property
    def me(self) -> Account:
        """The account of the current user."""
        return self.signed_in.account

    @property
    def sees_secrets(self) -> bool:
        """True if the caller may see what signs in to other accounts: an administrator, but no named key."""
        return self.identity is not None and self.identity.is_active_admin

    @property
    def reach(self) -> Scope:
        """The domains that a SIP server with this key, or an administrator, may ask about."""
        return reach_of(self.identity, self.space, KeyScope.FLEXISIP)

    async def types_of(self, *accounts: AsContact) -> Types:
        """Return the types of the accounts."""
        return await self.accounts.types.of(accounts)

    async def view_data(self, *accounts: AsContact) -> ViewData:
        """Return the data that views of the accounts need."""
        types, unique = await self.accounts.types.of(accounts), self.settings.account.email_unique
        if not self.space.may_name_domains:
            return ViewData(self.space.realm, types, email_unique=unique)
        others = self.context.services.spaces.by_domain
        realms = {domain: space.realm for domain, space in others.items()}
        return ViewData(self.space.realm, types, realms, email_unique=unique)


def is_dangerous_enabled(exchange: ApiEndpoint) -> bool:
    """Return whether the optional endpoints of the document are enabled."""
    return exchange.settings.app.dangerous_endpoints
