"""The human check: the page on which a person validates a creation request token."""

import secrets
from collections.abc import Mapping
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.pages import CreationTokenCheckPage, CreationTokenValidatedPage
from flexiapi.services.codes import HumanCheckUnavailable
from flexiapi.services.fields import RequestToken, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Segment
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

Token = Annotated[str, Segment(".+", "7Ma0JzRtWg3kP", "a token")]


class Check(Params):
    """The fields of the form."""

    account_creation_request_token: RequestToken
    csrf: Annotated[Text, Field(description="what the page put there")] | None = None


class HumanCheckEndpoint(PageEndpoint):
    """The base class of the endpoints of the human check."""

    # The target of the form: relative, so that the form also works below a path of a front server.
    action: ClassVar[str]

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of the form, with those of the captcha."""
        try:
            return dict(parse_qsl(self.request.body.decode("utf-8", "replace"), max_num_fields=100))
        except ValueError:
            return {}

    def gone(self) -> PageReply:
        """Return the page for a token that cannot be validated."""
        text = marked("This link is not valid any more. Go back to the app and ask for a new one.")
        return self.error_page(marked("This link has expired"), text, 404)

    def check_page(self, token: str, error: str | None = None, status: int = 200) -> PageReply:
        """Return the page with the form."""
        check = self.codes.human_check
        nonce = secrets.token_urlsafe(12)
        page = CreationTokenCheckPage(nonce, self.action, token, check.csrf(token), check.captcha, error)
        return self.page(page, status)


class CreationTokenCheckEndpoint(HumanCheckEndpoint):
    """The page with the form."""

    path = "/creation_token/check/{token}"
    action = "../validate"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self, token: Token) -> PageReply:
        """Show the human check of an `account_creation_request_token`, without validating it."""
        if not await self.codes.creation_tokens.is_request_open(token, self.space):
            return self.gone()
        return self.check_page(token)


class CreationTokenValidationEndpoint(HumanCheckEndpoint):
    """The target of the form."""

    path = "/creation_token/validate"
    action = "validate"

    @endpoint(Access.PUBLIC, hidden=True, guard=Guard(limit="anonymous_tokens"))
    async def post(self, body: Check) -> PageReply:
        """Validate an `account_creation_request_token` when the form was sent by a person."""
        token = body.account_creation_request_token
        check = self.codes.human_check
        if self.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return self.check_page(token, marked("The form came from another site. Please try again."), 403)
        if not check.is_our_form(token, body.csrf or ""):
            return self.check_page(token, marked("The form is out of date. Please try again."), 403)
        try:
            if not await check.is_human(self.form.get(check.response_field, ""), self.client):
                return self.check_page(token, marked("Please solve the check first."), 422)
            await self.codes.creation_tokens.validate_request(token, self.actor)
        except RecordNotFound:
            return self.gone()
        except HumanCheckUnavailable as error:
            return self.check_page(token, error.message, error.status)
        return self.page(CreationTokenValidatedPage(secrets.token_urlsafe(12)))
