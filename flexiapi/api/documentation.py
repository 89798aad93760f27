"""The documentation of this API."""

import secrets

from flexiapi import __version__
from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import Html, Json


class DocumentationPageEndpoint(ApiEndpoint):
    """The documentation as a page."""

    path = "/api"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> Html:
        """Show the documentation of the API."""
        nonce = secrets.token_urlsafe(12)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return Html(
            self.context.documentation.page(nonce, self, self.space), headers=[("Content-Security-Policy", policy)]
        )


class DocumentationForProgramsEndpoint(ApiEndpoint):
    """The documentation as an OpenAPI document."""

    path = "/api/openapi.json"

    @endpoint(
        Access.PUBLIC, example={"openapi": "3.1.0", "info": {"title": "flexiapi", "version": __version__}, "paths": {}}
    )
    async def get(self) -> Json:
        """Retrieve the OpenAPI 3.1 document of this API."""
        return Json(self.context.documentation.document(self.space))
