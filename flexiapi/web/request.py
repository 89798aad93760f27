"""Requests as the pipeline sees them."""

from collections.abc import Mapping
from typing import Protocol

from flexiapi.web.uploads import BodyStream


class HttpRequest(Protocol):
    """A received request, independent of the server that received it."""

    @property
    def method(self) -> str:
        """HTTP method, in upper case."""

    @property
    def target(self) -> str:
        """Request target as sent: path and query."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers; names are compared in any case."""

    @property
    def body(self) -> bytes:
        """Body; empty when `is_too_large`."""

    @property
    def stream(self) -> BodyStream | None:
        """The body of an upload, which is read while it arrives; `body` is empty then."""

    @property
    def is_too_large(self) -> bool:
        """True if the body exceeds the limit and was dropped."""

    @property
    def peer(self) -> str:
        """IP address of the other end of the connection."""

    @property
    def scheme(self) -> str:
        """`http` or `https`, as spoken on the connection."""
