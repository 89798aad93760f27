"""The documentation of this API."""

import json
import secrets
from collections.abc import Sequence
from functools import cached_property
from typing import cast

from flexiapi import __version__
from flexiapi.api.handler import Handler
from flexiapi.api.reference import Reference
from flexiapi.rendering.pages import DocumentationPage
from flexiapi.rendering.renderer import Renderer
from flexiapi.web.endpoint import endpoint
from flexiapi.web.handler import ApiHandler
from flexiapi.web.openapi import document_of
from flexiapi.web.operation import Access
from flexiapi.web.replies import Html, Json
from flexiapi.web.routing import Api


class Documentation:
    """The document and the page, each made once, when they are first asked for."""

    def __init__(self, handlers: Sequence[type[ApiHandler]], url: str, sip_domain: str, renderer: Renderer) -> None:
        self._handlers = {handler.path: handler for handler in handlers}
        self._url = url
        self._sip_domain = sip_domain
        self._renderer = renderer
        self._page: Sequence[bytes] = ()

    @cached_property
    def document(self) -> bytes:
        """The OpenAPI document as JSON."""
        return json.dumps(document_of(self._handlers.values(), self._url), ensure_ascii=False).encode()

    def page(self, nonce: str, handler: Handler) -> bytes:
        """The page, with the nonce of its style and script."""
        if not self._page:
            # The nonce is the only thing that differs, so the page is cut where it stands.
            mark = secrets.token_hex(16)
            sections = Reference(
                json.loads(self.document), lambda path, verb: self._is_on(handler, path, verb)
            ).sections()
            page = DocumentationPage(mark, self._url, self._sip_domain, sections)
            self._page = self._renderer.page(page).encode().split(mark.encode())
        return nonce.encode().join(self._page)

    def _is_on(self, handler: Handler, path: str, verb: str) -> bool:
        switch = self._handlers[path].operations[verb].switch
        return switch is None or switch(handler)


class DocumentationHandler(Handler):
    """What both forms share."""

    @property
    def documentation(self) -> Documentation:
        """The documentation, which the application keeps."""
        settings = self.application.settings
        if "documentation" not in settings:
            handlers = cast("Api", self.application).routes.handlers
            domain, renderer = self.services.sip_domain, settings["renderer"]
            settings["documentation"] = Documentation(handlers, self.host.public_url, domain, renderer)
        documentation: Documentation = settings["documentation"]
        return documentation


class DocumentationPageEndpoint(DocumentationHandler):
    """A page."""

    path = "/api"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> Html:
        """Show the documentation of the API."""
        nonce = secrets.token_urlsafe(12)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return Html(self.documentation.page(nonce, self), headers=[("Content-Security-Policy", policy)])


class DocumentationForProgramsEndpoint(DocumentationHandler):
    """An OpenAPI document."""

    path = "/api/openapi.json"

    @endpoint(
        Access.PUBLIC, example={"openapi": "3.1.0", "info": {"title": "flexiapi", "version": __version__}, "paths": {}}
    )
    async def get(self) -> Json:
        """Retrieve the OpenAPI 3.1 document of this API."""
        return Json(self.documentation.document)
