"""Answers to OPTIONS, and to methods that a path does not have."""

from collections.abc import Callable, Sequence

from flexiapi.errors import ApiError, MethodNotAllowed
from flexiapi.web import cors
from flexiapi.web.exchange import Exchange
from flexiapi.web.replies import Answer, Json

_NO_BODY = Json(b"")


def answer_other(exchange: Exchange, steps: Sequence[Callable[[object, Exchange], None]]) -> Answer:
    """Return the answer, after the steps that apply to every request."""
    try:
        for step in steps:
            step(None, exchange)
        if exchange.request.method != "OPTIONS":
            raise MethodNotAllowed(exchange.methods)
    except ApiError as error:
        return exchange.failed(error)
    return Answer(200, _NO_BODY, [("Allow", ", ".join(exchange.methods)), *cors.preflight(exchange)])
