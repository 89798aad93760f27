"""The base class of the endpoints of the JSON API."""

from collections.abc import Mapping
from typing import Protocol, cast

from flexiapi.api.reference import Documentation
from flexiapi.api.views.accounts import ViewData
from flexiapi.model import Account, Actor, AsContact, Space, Types
from flexiapi.services import Services
from flexiapi.services.accounts import AccountServices
from flexiapi.services.codes import CodeServices
from flexiapi.services.contacts import ContactServices
from flexiapi.services.phones import PhoneServices
from flexiapi.services.sign_in import SignedIn, SignInServices
from flexiapi.settings import Settings
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import ServerContext


class ApiContext(ServerContext, Protocol):
    """The part of the application that the endpoints of the API use."""

    services: Services
    documentation: Documentation

    async def unready(self) -> Mapping[str, str]:
        """Return the reasons why requests should not be sent here, by subject."""


class ApiEndpoint(Endpoint):
    """The base class of the endpoints of the API. Failures are rendered as JSON."""

    context: ApiContext

    @property
    def accounts(self) -> AccountServices:
        """The services about accounts."""
        return self.context.services.accounts

    @property
    def codes(self) -> CodeServices:
        """The services about secrets that are sent to people."""
        return self.context.services.codes

    @property
    def contacts(self) -> ContactServices:
        """The services about contacts."""
        return self.context.services.contacts

    @property
    def phones(self) -> PhoneServices:
        """The services about phones."""
        return self.context.services.phones

    @property
    def sign_in(self) -> SignInServices:
        """The services about sign-in."""
        return self.context.services.sign_in

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.context.services.settings

    @property
    def space(self) -> Space:
        """The space that the request is for."""
        return cast("Space", self.host_space)

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
