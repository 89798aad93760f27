"""The adapter to the HTTP server: look-up of the endpoint, limit of the body, headers, and sending of the answer."""

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Iterable, Mapping
from functools import lru_cache
from http.client import responses
from typing import Any, cast

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
    format_timestamp,
)
from tornado.iostream import StreamClosedError

from flexiapi.errors import ApiError
from flexiapi.observing import log, request_id
from flexiapi.web import cors, pipeline
from flexiapi.web.endpoint import Endpoint, UnknownPath
from flexiapi.web.exchange import Exchange, ServerContext
from flexiapi.web.operation import Upload
from flexiapi.web.replies import Answer, FileReply
from flexiapi.web.routing import PAGE_HEADERS, Routes, wants_page
from flexiapi.web.uploads import BodyStream

# RFC 3986, 3.2.2, but without the comma, which would join the values of two headers.
_HOST = re.compile(r"(?:[\w.~!$&'()*+;=:\[\]-]|%[0-9a-f]{2})*", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HEADERS = {
    "Server": "flexiapi",
    "Cache-Control": "no-cache, private",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_VARIES = ("Vary", ", ".join(PAGE_HEADERS))
_WITHOUT_BODY = frozenset({204, 304})


class ReceivedRequest(HTTPMessageDelegate):
    """A request, from its first header to the end of its answer."""

    method: str
    target: str
    headers: HTTPHeaders
    body = b""
    is_too_large = False
    stream: BodyStream | None = None

    def __init__(self, api: "Api", connection: HTTPConnection) -> None:
        self.connection = connection
        origin = cast("Any", connection).context
        self.peer: str = origin.remote_ip
        self.scheme: str = origin.protocol
        self._api = api
        self._gathered = bytearray()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Find the endpoint. Raises `HTTPInputError` if the request does not name one host."""
        self._began = time.perf_counter()
        self.method, self.target, version = cast("RequestStartLine", start_line)
        self.headers = headers
        if not _is_host(headers.get("Host"), version):
            raise HTTPInputError("The Host header is missing, is invalid or stands twice.")
        self._endpoint, self._path_values, self._varies = self._api.find(self.target.partition("?")[0], headers)
        upload = self._endpoint.uploads.get(self.method)
        return None if upload is None else self._begin(upload)

    def _begin(self, upload: Upload) -> Awaitable[None]:
        """Answer an upload while its body arrives. Return the future that is done when the body is wanted."""
        exchange = self._exchange()
        stream = self.stream = BodyStream(upload.most_bytes(exchange))
        self.is_too_large = stream.is_exceeded_by(self.headers)
        connection = cast("Any", self.connection)
        # The limit of the server is for bodies that are gathered; the stream has its own.
        connection.set_max_body_size(sys.maxsize)
        connection.set_body_timeout(upload.seconds(exchange))
        self._api.run(self._answer(exchange))
        return stream.wanted

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Gather the body, and drop all of it when it exceeds the limit. A piece of an upload is handed on."""
        if self.stream is not None:
            return self.stream.put(chunk)
        if self.is_too_large:
            return None
        self._gathered += chunk
        if len(self._gathered) > self._api.context.max_body_bytes * self._endpoint.body_share:
            self.is_too_large = True
            self._gathered.clear()
        return None

    def finish(self) -> None:
        """Begin to answer the request, which is complete. An upload is being answered already."""
        if self.stream is not None:
            self.stream.end()
            return
        self.body = bytes(self._gathered)
        self._gathered.clear()
        self._api.run(self._answer(self._exchange()))

    def on_connection_close(self) -> None:
        """Note that the rest of the body does not come, or is not read any more."""
        if self.stream is not None:
            self.stream.lose()

    def _exchange(self) -> Exchange:
        exchange = self._endpoint(self._api.context, self, self._path_values)
        if self._varies:
            exchange.headers.append(_VARIES)
        exchange.context.entered(is_transfer=exchange.is_transfer)
        return exchange

    async def _answer(self, exchange: Exchange) -> None:
        request_id.set(exchange.request_id)
        try:
            answer = await pipeline.answer(exchange)
            await self._send(answer, exchange)
        except (Exception, asyncio.CancelledError):
            if _is_cancelled():
                raise
            # The path is logged as a template: URIs may carry secrets.
            log.error("request failed", route=exchange.path, method=self.method, exc_info=True)
            answer = exchange.unexpected(ApiError.status, ApiError.message)
            await self._send(answer, exchange)
        finally:
            exchange.context.left(is_transfer=exchange.is_transfer)
            self.on_connection_close()
        exchange.context.observe(exchange, answer.status, time.perf_counter() - self._began)

    async def _send(self, answer: Answer, exchange: Exchange) -> None:
        start_line = ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown"))
        has_body = self.method != "HEAD" and answer.status not in _WITHOUT_BODY
        self.connection.write_headers(
            start_line, _headers_of(answer, exchange), answer.reply.body if has_body else None
        )
        if has_body and isinstance(answer.reply, FileReply):
            await self._send_pieces(answer.reply.pieces, exchange)
        else:
            self.connection.finish()

    async def _send_pieces(self, pieces: AsyncGenerator[bytes, None], exchange: Exchange) -> None:
        """Send a file as fast as the client reads it. A failure cuts the answer: its status has been sent."""
        async with contextlib.aclosing(pieces):
            try:
                async for piece in pieces:
                    await self.connection.write(piece)
            except StreamClosedError:
                return
            except ApiError as failure:
                log.warning("a file was sent in part", route=exchange.path, reason=str(failure))
        with contextlib.suppress(HTTPOutputError):
            self.connection.finish()


class Api(HTTPServerConnectionDelegate):
    """The application that an HTTP server passes requests to: its routes are those of the endpoints.

    `pages` are the endpoints of which browsers get another one of the same path.
    """

    def __init__(
        self,
        context: ServerContext,
        endpoints: Iterable[type[Endpoint]],
        pages: Mapping[type[Endpoint], type[Endpoint]] | None = None,
    ) -> None:
        self.context = context
        self.routes = Routes(endpoints)
        self._pages = pages or {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Return the delegate that takes the next request of a connection."""
        del server_conn
        return ReceivedRequest(self, request_conn)

    def find(self, path: str, headers: Mapping[str, str]) -> tuple[type[Endpoint], Mapping[str, str], bool]:
        """Return the endpoint of a path, its path parameters, and whether the headers decided on the endpoint."""
        endpoint, values = self.routes.find(path) or (UnknownPath, {})
        page = self._pages.get(endpoint)
        if page is None or path.startswith("/api/"):
            return endpoint, values, False
        return (page if wants_page(headers) else endpoint), values, True

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the answering of a request, whatever becomes of its connection."""
        # Without a reference, a task may vanish while it waits.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@lru_cache(maxsize=1024)
def _is_host(named: str | None, version: str) -> bool:
    """Return whether a request names one valid host, or may leave it out."""
    return version == "HTTP/1.0" if named is None else _HOST.fullmatch(named) is not None


def _is_cancelled() -> bool:
    """Return whether this task shall end, rather than something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _headers_of(answer: Answer, exchange: Exchange) -> HTTPHeaders:
    reply, headers = answer.reply, _headers_of_all(exchange)
    if answer.status not in _WITHOUT_BODY:
        headers["Content-Type"] = reply.content_type
        headers["Content-Length"] = str(reply.size if isinstance(reply, FileReply) else len(reply.body))
    if answer.is_secret:
        headers["Cache-Control"] = "no-store"
    for name, value in answer.headers:
        headers.add(name, _sendable(value))
    for name, value in reply.headers:
        headers[name] = _sendable(value)
    for cookie in reply.cookies:
        is_secure = "Strict-Transport-Security" in headers or exchange.context.peers.is_https(exchange.request)
        headers.add("Set-Cookie", _sendable(cookie.header(is_secure=is_secure)))
    return headers


def _headers_of_all(exchange: Exchange) -> HTTPHeaders:
    """Return the headers that every answer has. Their values are our own, or equal a setting."""
    headers = HTTPHeaders()
    for name, value in _HEADERS.items():
        headers[name] = value
    headers["Date"] = _date(int(time.time()))
    headers["X-Request-Id"] = exchange.request_id
    if exchange.public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "Origin" in exchange.request.headers:
        headers.update(cors.of_answer(exchange))
    return headers


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return format_timestamp(second)


def _sendable(value: str) -> str:
    """Return a header value that the server, which encodes as Latin-1, sends as UTF-8. `identity` reads it like that.

    Raises `ValueError` for control characters: a line end would begin another header.
    """
    if _CONTROL.search(value):
        raise ValueError(f"unsafe header value {value!r}")
    return value.encode().decode("latin-1")
