"""The OpenAPI 3.1 document, from the declarations."""

from collections.abc import Iterable
from typing import Any

from flexiapi.web.handler import ApiHandler


def document_of(handlers: Iterable[type[ApiHandler]], url: str) -> dict[str, Any]:
    """The document for a server at `url`."""
    paths: dict[str, Any] = {handler.path: {} for handler in handlers}
    return {
        "openapi": "3.1.0",
        "info": {"title": "flexiapi", "version": "1"},
        "servers": [{"url": url}],
        "paths": paths,
    }
