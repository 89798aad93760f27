"""The adapter to Tornado: takes a request to its endpoint, and sends the answer."""

from collections.abc import Mapping
from http.client import responses
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from flexiapi.errors import ApiError, MethodNotAllowed
from flexiapi.observing import log, request_id
from flexiapi.web import browsers
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import ServerContext
from flexiapi.web.replies import Answer, Cookie


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
    """A handler that lets the endpoint answer."""

    endpoint: Endpoint
    _has_endpoint = False

    def initialize(
        self,
        context: ServerContext,
        endpoint: type[Endpoint],
        path_values: Mapping[str, str],
        *,
        is_too_large: bool = False,
    ) -> None:
        """Create the endpoint."""
        self.endpoint = endpoint(context, TornadoRequest(self.request, is_too_large=is_too_large), path_values)
        self._has_endpoint = True
        context.entered()
        request_id.set(self.endpoint.request_id)
        self._set_headers_of_exchange()

    def set_default_headers(self) -> None:
        """Set the headers of every answer. Tornado calls this before there is an exchange, and again for failures."""
        for name, value in browsers.OF_EVERY_ANSWER.items():
            self._headers[name] = value
        if self._has_endpoint:
            self._set_headers_of_exchange()

    def _set_headers_of_exchange(self) -> None:
        for name, value in browsers.of_exchange(self.endpoint):
            self._headers[name] = value

    def compute_etag(self) -> None:
        """Return no digest: answers are private and small."""

    async def _answer(self) -> None:
        self._send(await self.endpoint.answer())

    get = head = post = put = patch = delete = options = _answer

    def _send(self, answer: Answer) -> None:
        reply = answer.reply
        self.set_status(answer.status)
        self._headers["Content-Type"] = reply.content_type
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
        https = context.public_url.startswith("https:") or context.peers.is_https(exchange.request)
        self.set_cookie(
            cookie.name, cookie.value, path="/", max_age=cookie.max_age, httponly=True, secure=https, samesite="Strict"
        )

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Answer a request that Tornado refused, or an unexpected failure, without details."""
        if status_code == MethodNotAllowed.status:
            self._send(self.endpoint.answer_other_method())
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
