"""Pages that show a provisioning link to a person: what it is for, a QR code, a button for the app.

They spend nothing. Only the app, which opens the provisioning URL itself, uses the link up.
"""

import secrets
from base64 import b64encode
from typing import Annotated
from urllib.parse import parse_qsl

from flexiapi.errors import RecordNotFound
from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.pages import SetupPage
from flexiapi.services.phones import SetupOffer
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Segment
from flexiapi.web.replies import PageReply

Token = Annotated[str, Segment(".+", "7Ma0JzRtWg3kP", "a token")]


class SetupPageEndpoint(PageEndpoint):
    """The base class of the pages."""

    async def offer(self, token: str) -> SetupOffer:
        """Return what a provisioning token gives. Raises `RecordNotFound`."""
        asked = dict(parse_qsl(self.query, keep_blank_values=True))
        return await self.phones.provisioning.offer(token, self.space, reset_password="reset_password" in asked)

    async def show(self, token: str) -> PageReply:
        """Return the page of a token, or the page that says that the link is dead."""
        try:
            offer = await self.offer(token)
        except RecordNotFound:
            text = marked("It was used already, it has expired, or it was copied incompletely. Ask for a new one.")
            page = self.error_page(marked("This link does not work any more"), text, 404)
            page.is_wrong_guess = True
            return page
        image = f"data:image/png;base64,{b64encode(offer.image).decode()}"
        nonce = secrets.token_urlsafe(12)
        return self.page(SetupPage(nonce, offer.sip_address, offer.url, image, offer.app_link, offer.resets_password))


class SetupEndpoint(SetupPageEndpoint):
    """The page that mails link to."""

    path = "/setup/{provisioning_token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def get(self, provisioning_token: Token) -> PageReply:
        """Show what a provisioning token is for, without using it."""
        return await self.show(provisioning_token)


class ProvisioningSetupPage(SetupPageEndpoint):
    """The page of a provisioning URL that was opened in a browser."""

    path = "/provisioning/{provisioning_token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def get(self, provisioning_token: Token) -> PageReply:
        """Show what the provisioning token is for, without using it."""
        return await self.show(provisioning_token)


class AuthTokenSetupPage(SetupPageEndpoint):
    """The page of the provisioning URL of an auth token that was opened in a browser."""

    path = "/provisioning/auth_token/{auth_token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def get(self, auth_token: Token) -> PageReply:
        """Show what the auth token is for, without using it."""
        return await self.show(auth_token)

    async def offer(self, token: str) -> SetupOffer:
        """Return what an auth token gives. Raises `RecordNotFound`."""
        account = await self.sign_in.api_keys.holder(token, self.space)
        return await self.phones.provisioning.offer_of_auth_token(token, account, self.space)
