"""The base class of the endpoints that answer with HTML pages."""

import secrets
from http.client import responses
from typing import Protocol, cast

from flexiapi.errors import ApiError
from flexiapi.model import Actor, Space
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.pages import ErrorPage, Page
from flexiapi.rendering.renderer import Renderer
from flexiapi.services import Services
from flexiapi.services.codes import CodeServices
from flexiapi.services.phones import PhoneServices
from flexiapi.services.sign_in import SignInServices
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import ServerContext
from flexiapi.web.replies import HttpReply, PageReply

_TITLES = {
    400: marked("The form could not be read"),
    403: marked("This is not allowed"),
    404: marked("This page does not exist"),
    405: marked("This page cannot be used like that"),
    413: marked("The form is too large"),
    422: marked("The form is not complete"),
    429: marked("Too many requests"),
    500: marked("Something went wrong"),
    503: marked("This is not available now"),
}


class PanelContext(ServerContext, Protocol):
    """The part of the application that the pages use."""

    services: Services
    renderer: Renderer


class PageEndpoint(Endpoint):
    """The base class of the endpoints that answer with pages. Failures are rendered as pages."""

    context: PanelContext

    @property
    def codes(self) -> CodeServices:
        """The services about secrets that are sent to people."""
        return self.context.services.codes

    @property
    def phones(self) -> PhoneServices:
        """The services about phones."""
        return self.context.services.phones

    @property
    def sign_in(self) -> SignInServices:
        """The services about sign-in."""
        return self.context.services.sign_in

    @property
    def space(self) -> Space:
        """The space that the request is for."""
        return cast("Space", self.host_space)

    @property
    def app_name(self) -> str:
        """The name of the service that the page is of."""
        return (self.space or self.context.services.spaces.default).name

    @property
    def actor(self) -> Actor:
        """The origin of the changes that the request makes."""
        return cast("Actor", self.originator)

    def page(self, page: Page, status: int = 200) -> PageReply:
        """Return a page with a Content-Security-Policy that allows only its own style and script, and a captcha."""
        captcha = getattr(page, "captcha", None)
        frames = "https:" if captcha else "'none'"
        policy = (
            f"default-src 'none'; style-src 'nonce-{page.nonce}'; script-src 'nonce-{page.nonce}' 'strict-dynamic'; "
            f"frame-src {frames}; connect-src {frames}; img-src 'self' data:; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        headers = [("Content-Security-Policy", policy), ("Cache-Control", "no-store")]
        return PageReply(self.context.renderer.page(page, self.app_name).encode(), headers=headers, status=status)

    def error_page(self, title: str, message: str, status: int) -> PageReply:
        """Return an error page."""
        return self.page(ErrorPage(secrets.token_urlsafe(12), title, message), status)

    def rendered(self, error: ApiError, status: int) -> HttpReply:
        """Return a failure as a page."""
        return self.error_page(_TITLES.get(status) or responses.get(status, marked("Error")), error.message, status)
