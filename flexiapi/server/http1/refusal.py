"""Refusals of requests that are not valid HTTP, or exceed a limit."""

from pydantic_core import to_json
from tornado.httputil import format_timestamp

_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class RefusedRequest(Exception):
    """A request that cannot be read. The connection ends after the answer: where the next one begins is unknown."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def answer_of(refusal: RefusedRequest, now: float) -> bytes:
    """Return the answer to a refused request, complete with its headers; `now` is in seconds since 1970."""
    body = to_json({"message": refusal.message})
    head = (
        f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}\r\n"
        f"Server: flexiapi\r\nDate: {format_timestamp(now)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
