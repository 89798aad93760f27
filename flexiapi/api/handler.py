"""What the endpoints have at hand: the services, the views, and who is signed in."""

from typing import cast

from flexiapi.api.fields import address
from flexiapi.api.views import Types, Views
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor
from flexiapi.services import Services
from flexiapi.services.sign_in.http import SignedIn
from flexiapi.web.handler import ApiHandler


class Handler(ApiHandler):
    """The base of all endpoints."""

    @property
    def services(self) -> Services:
        """The rules."""
        services: Services = self.application.settings["services"]
        return services

    @property
    def views(self) -> Views:
        """How records are shown."""
        views: Views = self.application.settings["views"]
        return views

    @property
    def signed_in(self) -> SignedIn:
        """Who is signed in, on User and Admin endpoints."""
        return cast("SignedIn", self.identity)

    @property
    def me(self) -> Account:
        """The account that is signed in."""
        return self.signed_in.account

    @property
    def actor(self) -> Actor:
        """The origin of the changes that the request makes."""
        return cast("Actor", self.originator)

    async def types_of(self, *accounts: Account) -> Types:
        """The account types that the accounts have."""
        return await self.services.types.of(accounts)


def required_address(sip: str) -> tuple[str, str]:
    """User name and domain of a `{sip}` parameter. Raises `RecordNotFound` for what is no address."""
    parts = address(sip)
    if parts is None:
        raise RecordNotFound
    return parts
