"""The Tornado application: finds the endpoint of a request, and limits the size of its body."""

from collections.abc import Iterable
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.web import Application

from flexiapi.web.endpoint import Endpoint, UnknownPath
from flexiapi.web.exchange import ServerContext
from flexiapi.web.handler import TornadoHandler
from flexiapi.web.routing import Routes


def _no_parsing() -> None:
    """Leave a body as it is."""


class CappedBody(HTTPMessageDelegate):
    """A delegate that drops a body over the limit, and notes that in the arguments of the future handler."""

    def __init__(self, inner: HTTPMessageDelegate, limit: int, arguments: dict[str, Any]) -> None:
        self._inner = inner
        self._left = limit
        self._arguments = arguments

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        """Pass on the headers."""
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        """Pass on a chunk as long as the body is within the limit."""
        self._left -= len(chunk)
        if self._left >= 0:
            return self._inner.data_received(chunk)
        self._arguments["is_too_large"] = True
        return None

    def finish(self) -> None:
        """Pass on the end of the request."""
        self._inner.finish()

    def on_connection_close(self) -> None:
        """Pass on the end of the connection."""
        self._inner.on_connection_close()


class Api(Application):
    """A Tornado application whose routes are those of the endpoints."""

    def __init__(self, context: ServerContext, endpoints: Iterable[type[Endpoint]], **settings: Any) -> None:
        super().__init__(**settings)
        self._context = context
        self.routes = Routes(endpoints)

    def find_handler(self, request: HTTPServerRequest, **_kwargs: Any) -> Any:
        """Return the delegate that handles the request."""
        # `parameters.read` reads parameters. Tornado would refuse malformed bodies that no endpoint uses.
        request._parse_body = _no_parsing  # type: ignore[method-assign]  # noqa: SLF001  # it has no switch
        endpoint, values = self.routes.find(request.path) or (UnknownPath, {})
        arguments = {"context": self._context, "endpoint": endpoint, "path_values": values}
        delegate = self.get_handler_delegate(request, TornadoHandler, arguments)
        if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
            return CappedBody(delegate, self._context.max_body_bytes, arguments)
        return delegate

    def log_request(self, handler: Any) -> None:
        """Log nothing: the context observes exchanges, and URIs may carry secrets."""
