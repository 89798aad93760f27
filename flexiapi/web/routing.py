"""Finds the endpoint of a request: literal segments win over parameters, and the order of declaration never matters."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.web import Application

from flexiapi.web.handler import ApiHandler, ServerContext, UnknownPath
from flexiapi.web.operation import PathParameter

Found = tuple[type[ApiHandler], dict[str, str]]


@dataclass(slots=True)
class Node:
    """What may follow a part of a path."""

    literals: dict[str, "Node"] = field(default_factory=dict)
    parameters: list[tuple[PathParameter, Any, "Node"]] = field(default_factory=list)
    handler: type[ApiHandler] | None = None


class Routes:
    """A tree of path segments. Raises `ValueError` on two handlers for one path."""

    def __init__(self, handlers: Iterable[type[ApiHandler]]) -> None:
        self._root = Node()
        self.handlers: list[type[ApiHandler]] = []
        for handler in handlers:
            self._add(handler)

    def _add(self, handler: type[ApiHandler]) -> None:
        parameters = handler.path_parameters()
        node = self._root
        for segment in handler.path.strip("/").split("/"):
            node = _child(node, segment, parameters)
        if node.handler is not None:
            raise ValueError(f"two handlers for {handler.path}: {node.handler.__name__} and {handler.__name__}")
        node.handler = handler
        self.handlers.append(handler)

    def find(self, path: str) -> Found | None:
        """The handler of a raw path, and its path parameters, percent-decoded once."""
        segments = [_decoded(segment) for segment in path.strip("/").split("/")]
        return _match(self._root, segments, 0, {})


def _decoded(segment: str) -> str:
    """What is no UTF-8 names nothing, but that is for the endpoint to say."""
    return unquote_to_bytes(segment).decode(errors="replace") if "%" in segment else segment


def _child(node: Node, segment: str, parameters: Any) -> Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, Node())
    parameter = parameters[segment[1:-1]]
    for known, _, child in node.parameters:
        if known == parameter:
            return child
    child = Node()
    node.parameters.append((parameter, parameter.regex, child))
    return child


def _match(node: Node, segments: list[str], place: int, values: dict[str, str]) -> Found | None:
    if place == len(segments):
        return (node.handler, values) if node.handler is not None else None
    segment = segments[place]
    literal = node.literals.get(segment)
    if literal is not None and (found := _match(literal, segments, place + 1, values)):
        return found
    for parameter, regex, child in node.parameters:
        if regex.fullmatch(segment) and (
            found := _match(child, segments, place + 1, {**values, parameter.name: segment})
        ):
            return found
    return None


def _no_parsing() -> None:
    """What becomes of a body before an endpoint asks for it."""


class Capped(HTTPMessageDelegate):
    """Drops a body that grows over the limit, so that it is answered and not kept."""

    def __init__(self, inner: HTTPMessageDelegate, request: HTTPServerRequest, limit: int) -> None:
        self._inner = inner
        self._request = request
        self._left = limit

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        """Hand on."""
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        """Hand on what fits."""
        self._left -= len(chunk)
        if self._left >= 0:
            return self._inner.data_received(chunk)
        self._request.headers["X-Body-Too-Large"] = "1"
        return None

    def finish(self) -> None:
        """Hand on."""
        self._inner.finish()

    def on_connection_close(self) -> None:
        """Hand on."""
        self._inner.on_connection_close()


class Api(Application):
    """A Tornado application whose routes come from the handlers' declarations."""

    def __init__(self, host: ServerContext, handlers: Iterable[type[ApiHandler]], **settings: Any) -> None:
        super().__init__(default_handler_class=UnknownPath, **settings)
        self._host = host
        self.routes = Routes(handlers)

    def find_handler(self, request: HTTPServerRequest, **_kwargs: Any) -> Any:
        """The delegate that handles the request."""
        if "X-Body-Too-Large" in request.headers:
            del request.headers["X-Body-Too-Large"]
        # Parameters are read by `parameters.read`; Tornado would refuse bodies that no endpoint looks at.
        request._parse_body = _no_parsing  # type: ignore[method-assign]  # noqa: SLF001  # it has no switch
        found = self.routes.find(request.path)
        handler, values = found or (UnknownPath, {})
        delegate = self.get_handler_delegate(request, handler, {"host": self._host}, path_kwargs=values)  # type: ignore[arg-type]  # str is what it decodes to
        if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
            return Capped(delegate, request, self._host.max_body_bytes)
        return delegate

    def log_request(self, handler: Any) -> None:
        """The handlers report themselves, by template: a URI may carry secrets."""
