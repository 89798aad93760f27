"""CORS: headers for the pages of other sites that the settings list."""

from collections.abc import Sequence

from flexiapi.web.exchange import Exchange


def of_answer(exchange: Exchange) -> Sequence[tuple[str, str]]:
    """Return the headers of every answer to a listed origin."""
    if not _is_listed(exchange):
        return ()
    return [("Access-Control-Allow-Origin", exchange.request.headers["Origin"]), ("Vary", "Origin")]


def preflight(exchange: Exchange) -> Sequence[tuple[str, str]]:
    """Return the further headers of an answer to OPTIONS."""
    if not _is_listed(exchange):
        return ()
    return [
        ("Access-Control-Allow-Methods", ", ".join(exchange.methods)),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type, From, X-Api-Key"),
        ("Access-Control-Max-Age", "600"),
    ]


def _is_listed(exchange: Exchange) -> bool:
    return exchange.request.headers.get("Origin") in exchange.context.cors_origins
