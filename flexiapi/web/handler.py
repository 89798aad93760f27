"""The adapter to Tornado: look-up of the endpoint, limit of the body, headers, and sending of the answer."""

import re
from collections.abc import Iterable, Mapping
from http.client import responses
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.web import Application, HTTPError, RequestHandler

from flexiapi.errors import ApiError, MethodNotAllowed
from flexiapi.observing import log, request_id
from flexiapi.web import cors, pipeline
from flexiapi.web.endpoint import Endpoint, UnknownPath
from flexiapi.web.exchange import ServerContext
from flexiapi.web.replies import Answer, Cookie
from flexiapi.web.routing import PAGE_HEADERS, Routes, wants_page

_ABSOLUTE = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#@]+)(.*)", re.IGNORECASE)
_HEADERS = {
    "Server": "flexiapi",
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class TornadoRequest:
    """A request that Tornado has received."""

    __slots__ = ("body", "headers", "is_too_large", "method", "peer", "scheme", "target")

    def __init__(self, request: HTTPServerRequest, *, is_too_large: bool) -> None:
        self.method = request.method or ""
        self.target = request.uri or ""
        self.headers = request.headers
        self.body = request.body
        self.is_too_large = is_too_large
        self.peer = request.remote_ip or ""
        self.scheme = request.protocol


class TornadoHandler(RequestHandler):
    """The Tornado handler of every endpoint: passes requests to the pipeline and sends the answers."""

    endpoint: Endpoint
    _has_endpoint = False

    def initialize(
        self,
        context: ServerContext,
        endpoint: type[Endpoint],
        path_values: Mapping[str, str],
        *,
        is_too_large: bool = False,
        varies: bool = False,
    ) -> None:
        """Create the endpoint. The answer of a path that `varies` is a page for browsers and another for others."""
        self.endpoint = endpoint(context, TornadoRequest(self.request, is_too_large=is_too_large), path_values)
        if varies:
            self.endpoint.headers.append(("Vary", ", ".join(PAGE_HEADERS)))
        self._has_endpoint = True
        context.entered()
        request_id.set(self.endpoint.request_id)
        self._set_headers_of_exchange()

    def set_default_headers(self) -> None:
        """Set the headers of every answer. Tornado calls this before there is an exchange, and again for failures."""
        for name, value in _HEADERS.items():
            self._headers[name] = value
        if self._has_endpoint:
            self._set_headers_of_exchange()

    def _set_headers_of_exchange(self) -> None:
        # Every value is our own or equals a setting, so that it needs no check of its characters.
        exchange = self.endpoint
        self._headers["X-Request-Id"] = exchange.request_id
        if "Origin" in exchange.request.headers:
            for name, value in cors.of_answer(exchange):
                self._headers[name] = value

    def compute_etag(self) -> None:
        """Return no digest: answers are private and small."""

    async def _answer(self) -> None:
        self._send(await pipeline.answer(self.endpoint))

    get = head = post = put = patch = delete = options = _answer

    def _send(self, answer: Answer) -> None:
        reply = answer.reply
        self.set_status(answer.status)
        self._headers["Content-Type"] = reply.content_type
        if self.endpoint.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"
        if answer.is_secret:
            self._headers["Cache-Control"] = "no-store"
        for name, value in answer.headers:
            self.add_header(name, _as_utf8(value))
        for name, value in reply.headers:
            self.set_header(name, value)
        for cookie in reply.cookies:
            self._set(cookie)
        self.finish(reply.body)

    def _set(self, cookie: Cookie) -> None:
        exchange = self.endpoint
        context = exchange.context
        https = exchange.public_url.startswith("https:") or context.peers.is_https(exchange.request)
        # Tornado leaves out a Max-Age of 0; a time in the past removes a cookie as well.
        age: dict[str, Any] = {"max_age": cookie.max_age} if cookie.max_age else {"expires": 1}
        self.set_cookie(cookie.name, cookie.value, path="/", httponly=True, secure=https, samesite="Strict", **age)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Answer a request that Tornado refused, or an unexpected failure, without details."""
        if status_code == MethodNotAllowed.status:
            self._send(pipeline.answer_other_method(self.endpoint))
            return
        text = ApiError.message if status_code >= ApiError.status else responses.get(status_code, "Refused.")
        self._send(self.endpoint.unexpected(status_code, text))

    def log_exception(self, typ: type[BaseException] | None, value: BaseException | None, tb: Any) -> None:
        """Log an unexpected failure with its traceback. The path is logged as a template: URIs may carry secrets."""
        if not isinstance(value, HTTPError):
            log.error("request failed", route=self.endpoint.path, method=self.request.method, exc_info=(typ, value, tb))

    def on_finish(self) -> None:
        """Log and count the request."""
        context = self.endpoint.context
        context.left()
        context.observe(self.endpoint, self.get_status(), self.request.request_time())


def _as_utf8(value: str) -> str:
    """Return a header value that Tornado, which encodes as Latin-1, sends as UTF-8. `identity` reads it like that."""
    return value.encode().decode("latin-1")


def _take_origin_form(request: HTTPServerRequest) -> None:
    """Read a target such as `http://host/path` as its path, and its host as the `Host` header (RFC 9112, 3.2.2)."""
    target = _ABSOLUTE.fullmatch(request.uri or "")
    if target is None:
        return
    host, rest = target.groups()
    request.headers["Host"] = request.host = host
    request.uri = rest if rest.startswith("/") else f"/{rest}"
    request.path, _, request.query = request.uri.partition("?")


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
    """A Tornado application whose routes are those of the endpoints.

    `pages` are the endpoints of which browsers get another one of the same path.
    """

    def __init__(
        self,
        context: ServerContext,
        endpoints: Iterable[type[Endpoint]],
        pages: Mapping[type[Endpoint], type[Endpoint]] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._context = context
        self._pages = pages or {}
        self.routes = Routes(endpoints)

    def find_handler(self, request: HTTPServerRequest, **_kwargs: Any) -> Any:
        """Return the delegate that handles the request."""
        # `parameters.read` reads parameters. Tornado would refuse malformed bodies that no endpoint uses.
        request._parse_body = _no_parsing  # type: ignore[method-assign]  # noqa: SLF001  # it has no switch
        if "://" in request.path:
            _take_origin_form(request)
        endpoint, values = self.routes.find(request.path) or (UnknownPath, {})
        arguments: dict[str, Any] = {"context": self._context, "endpoint": endpoint, "path_values": values}
        page = self._pages.get(endpoint)
        if page is not None and not request.path.startswith("/api/"):
            arguments |= {"endpoint": page if wants_page(request.headers) else endpoint, "varies": True}
        delegate = self.get_handler_delegate(request, TornadoHandler, arguments)
        if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
            return CappedBody(delegate, self._context.max_body_bytes * endpoint.body_share, arguments)
        return delegate

    def log_request(self, handler: Any) -> None:
        """Log nothing: the context observes exchanges, and URIs may carry secrets."""
