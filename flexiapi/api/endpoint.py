"""The base class of the endpoints of the JSON API."""

from typing import Protocol, cast

from flexiapi.api.reference import Documentation
from flexiapi.api.views.accounts import ViewData
from flexiapi.model import Account, Actor, Types
from flexiapi.services import Services
from flexiapi.services.sign_in.http import SignedIn
from flexiapi.settings import MetricsSettings
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import ServerContext


class ApiContext(ServerContext, Protocol):
    """The part of the application that the endpoints of the API use."""

    services: Services
    realm: str | None
    documentation: Documentation
    metrics: MetricsSettings


class ApiEndpoint(Endpoint):
    """The base class of the endpoints of the API. Failures are rendered as JSON."""

    context: ApiContext

    @property
    def services(self) -> Services:
        """The services that apply the rules."""
        return self.context.services

    @property
    def signed_in(self) -> SignedIn:
        """The proven identity, on User and Admin operations."""
        return cast("SignedIn", self.identity)

    @property
    def me(self) -> Account:
        """The account of the current user."""
        return self.signed_in.account

    @property
    def actor(self) -> Actor:
        """The origin of the changes that the request makes."""
        return cast("Actor", self.originator)

    async def types_of(self, *accounts: Account) -> Types:
        """Return the types of the accounts."""
        return await self.services.types.of(accounts)

    async def view_data(self, *accounts: Account) -> ViewData:
        """Return the data that views of the accounts need."""
        return ViewData(self.context.realm, await self.services.types.of(accounts))


def is_dangerous_enabled(exchange: ApiEndpoint) -> bool:
    """Return whether the optional endpoints of the document are enabled."""
    return exchange.services.dangerous_endpoints
