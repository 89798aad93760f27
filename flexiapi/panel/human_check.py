"""The page on which a person validates a creation request token."""

import secrets
from collections.abc import Mapping
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl

from pydantic import Field

from flexiapi.api.fields import RequestToken, Text, Token
from flexiapi.api.handler import Handler
from flexiapi.errors import RecordNotFound
from flexiapi.rendering.pages import CreationTokenCheckPage, CreationTokenValidatedPage, ErrorPage
from flexiapi.rendering.pages import Page as PageTemplate
from flexiapi.rendering.renderer import Renderer
from flexiapi.services.codes.human_check import HumanCheckUnavailable
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class Check(Params):
    """The form of the page."""

    account_creation_request_token: RequestToken
    csrf: Annotated[Text, Field(description="what the page put there")] | None = None


class PageHandler(Handler):
    """Answers with pages, for people."""

    # Relative, so that the form also works below a path of a front server: each page says it as seen from itself.
    action: ClassVar[str]

    def page(self, page: PageTemplate, status: int = 200) -> PageReply:
        """A page with a policy that lets nothing in but its own style and the captcha."""
        renderer: Renderer = self.application.settings["renderer"]
        captcha = getattr(page, "captcha", None)
        frames = "https:" if captcha else "'none'"
        policy = (
            f"default-src 'none'; style-src 'nonce-{page.nonce}'; script-src 'nonce-{page.nonce}' 'strict-dynamic'; "
            f"frame-src {frames}; connect-src {frames}; img-src 'self' data:; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        headers = [("Content-Security-Policy", policy), ("Cache-Control", "no-store")]
        return PageReply(renderer.page(page).encode(), headers=headers, status=status)

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of the form, those of the captcha too."""
        try:
            return dict(parse_qsl(self.request.body.decode("utf-8", "replace"), max_num_fields=100))
        except ValueError:
            return {}

    def gone(self) -> PageReply:
        """The page for a token that cannot be validated."""
        text = "This link is not valid any more. Go back to the app and ask for a new one."
        return self.page(ErrorPage(secrets.token_urlsafe(12), "This link has expired", text), 404)

    def check_page(self, token: str, error: str | None = None, status: int = 200) -> PageReply:
        """The form."""
        check = self.services.human_check
        nonce = secrets.token_urlsafe(12)
        page = CreationTokenCheckPage(nonce, self.action, token, check.csrf(token), check.captcha, error)
        return self.page(page, status)


class CreationTokenCheckEndpoint(PageHandler):
    """The form."""

    path = "/creation_token/check/{token}"
    action = "../validate"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self, token: Token) -> PageReply:
        """Show the human check of an `account_creation_request_token`; looking at it validates nothing."""
        if not await self.services.creation_tokens.is_request_open(token):
            return self.gone()
        return self.check_page(token)


class CreationTokenValidationEndpoint(PageHandler):
    """What the form is sent to."""

    path = "/creation_token/validate"
    action = "validate"

    @endpoint(Access.PUBLIC, hidden=True, limit="anonymous_tokens")
    async def post(self, body: Check) -> PageReply:
        """Validate an `account_creation_request_token`, if a person sent the form."""
        token = body.account_creation_request_token
        check = self.services.human_check
        if self.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return self.check_page(token, "The form came from another site. Please try again.", 403)
        if not check.is_our_form(token, body.csrf or ""):
            return self.check_page(token, "The form is out of date. Please try again.", 403)
        try:
            if not await check.is_human(self.form.get(check.response_field, ""), self.client):
                return self.check_page(token, "Please solve the check first.", 422)
            await self.services.creation_tokens.validate_request(token, self.actor)
        except RecordNotFound:
            return self.gone()
        except HumanCheckUnavailable as error:
            return self.check_page(token, error.message, error.status)
        return self.page(CreationTokenValidatedPage(secrets.token_urlsafe(12)))
