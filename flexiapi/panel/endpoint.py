"""The base class of the endpoints that answer with HTML pages."""

import secrets
from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Protocol

from flexiapi.errors import ApiError
from flexiapi.language_tags import accepted
from flexiapi.model import Space
from flexiapi.panel.languages import chosen
from flexiapi.rendering.assets import Assets
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.pages import ErrorPage, HtmlPage, Page
from flexiapi.rendering.renderer import Language, OfferedLanguage, Renderer
from flexiapi.service_endpoint import ServiceEndpoint, ServicesContext
from flexiapi.web.replies import HttpReply, PageReply

_VARY = ("Vary", "Accept-Language, Cookie")

TITLES = {
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


class PagesContext(ServicesContext, Protocol):
    """The part of the application that the pages use."""

    renderer: Renderer
    assets: Assets

    async def unready(self) -> Mapping[str, str]:
        """Return the reasons why requests should not be sent here, by subject."""

    def first_admin_command(self, space: Space) -> str:
        """Return the command that makes an administrator of the space."""


class PageEndpoint(ServiceEndpoint):
    """The base class of the endpoints that answer with pages. Failures are rendered as pages."""

    context: PagesContext

    @property
    def app_name(self) -> str:
        """The name of the service that the page is of."""
        return (self.space or self.context.services.spaces.default).name

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
        return PageReply(self.rendered_page(page).encode(), headers=headers, status=status)

    def rendered_page(self, page: HtmlPage) -> str:
        """Return the HTML of a page, in the language of the person."""
        if _VARY not in self.headers:
            self.headers.append(_VARY)
        return self.context.renderer.page(page, self.app_name, language=self.language.name)

    @property
    def language(self) -> Language:
        """The language of the page."""
        return self.context.renderer.page_language(self.wanted_languages(), self._usual_language)

    def offered_languages(self) -> Sequence[OfferedLanguage]:
        """Return the languages that people may choose here."""
        return self.context.renderer.page_languages(self._usual_language)

    @property
    def _usual_language(self) -> str:
        return (self.space or self.context.services.spaces.default).language

    def wanted_languages(self) -> Sequence[str]:
        """Return the languages that the person prefers: the chosen one, that of the account, those of the browser."""
        headers = self.request.headers
        return [
            *chosen(headers.get("Cookie", "")),
            *self.account_languages(),
            *accepted(headers.get("Accept-Language", "")),
        ]

    def account_languages(self) -> Sequence[str]:
        """Return the language of the account that is signed in: one, or none."""
        return ()

    def error_page(self, title: str, message: str, status: int) -> PageReply:
        """Return an error page."""
        return self.page(ErrorPage(secrets.token_urlsafe(12), title, message), status)

    def rendered(self, error: ApiError, status: int) -> HttpReply:
        """Return a failure as a page."""
        return self.error_page(TITLES.get(status) or responses.get(status, marked("Error")), error.message, status)
