"""Headers for browsers: caching, content security, CORS, HSTS."""

from collections.abc import Mapping, Sequence

from flexiapi.web.exchange import Exchange

OF_EVERY_ANSWER: Mapping[str, str] = {
    "Server": "flexiapi",
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def of_exchange(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the headers that depend on the request and the site. Every value is our own or equals a setting."""
    headers = [("X-Request-Id", exchange.request_id)]
    if "Origin" in exchange.request.headers:
        origin = exchange.request.headers["Origin"]
        if origin in exchange.context.cors_origins:
            headers += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    if exchange.context.public_url.startswith("https:"):
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return headers


def preflight(exchange: Exchange, allowed: Sequence[str]) -> list[tuple[str, str]]:
    """Return the headers of an answer to OPTIONS: the methods of the path, and for listed origins those of CORS."""
    headers = [("Allow", ", ".join(allowed))]
    if exchange.request.headers.get("Origin") in exchange.context.cors_origins:
        headers += [
            ("Access-Control-Allow-Methods", ", ".join(allowed)),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type, From, X-Api-Key"),
            ("Access-Control-Max-Age", "600"),
        ]
    return headers
