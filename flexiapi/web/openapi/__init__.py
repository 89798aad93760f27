"""The OpenAPI 3.1 document, derived from the declarations of the endpoints."""

from flexiapi.web.openapi.document import document_of

__all__ = ["document_of"]
