"""The answer to one request, by Tornado's interface for connections."""

import asyncio
from collections.abc import Callable
from typing import NoReturn, Protocol, cast

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from flexiapi.server.http1.head import RequestHead
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http1.room import WriteRoom

_WITHOUT_BODY = (204, 304)
_FIRST_FINAL = 200
_LAST_CHUNK = b"0\r\n\r\n"


class ClientOutput(Protocol):
    """The way of an answer to its client, with the room that it has there."""

    room: WriteRoom

    @property
    def peer(self) -> object:
        """The other end, with `remote_ip` and `protocol`."""

    @property
    def is_stopping(self) -> bool:
        """True if connections end after their answer."""

    def write(self, data: bytes, more: bytes = b"") -> "asyncio.Future[None]":
        """Write bytes. The future is done when there is room for others."""

    def answered(self, response: "HttpResponse") -> None:
        """Note that an answer is complete."""

    def abort(self) -> None:
        """Close the connection at once."""


class HttpResponse(HTTPConnection):
    """The answer to one request: Tornado's `request_conn`.

    Attributes:
        context: the peer, with `remote_ip` and `protocol`.
        body_bytes: the limit of the body of the request.
        body_seconds: the longest time for the body of the request.
        is_begun: the headers are written.
        is_finished: all is written.
        is_last: the connection ends after this answer.
    """

    __slots__ = (
        "_has_body",
        "_head",
        "_is_chunked",
        "_left",
        "_output",
        "body_bytes",
        "body_seconds",
        "close_callback",
        "context",
        "is_begun",
        "is_finished",
        "is_last",
    )

    def __init__(self, output: ClientOutput, head: RequestHead, limits: HttpLimits) -> None:
        self._output: ClientOutput | None = output
        self._head = head
        self.context = output.peer
        self.body_bytes = limits.body_bytes
        self.body_seconds = limits.body_seconds
        self.close_callback: Callable[[], None] | None = None
        self.is_begun = self.is_finished = False
        self.is_last = not head.keeps_alive
        self._has_body = True
        self._is_chunked = False
        self._left: int | None = None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call when the client closes the connection before the answer is complete."""
        self.close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Set the limit of the body of this request, in bytes."""
        self.body_bytes = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Set the longest time for the body of this request, in seconds."""
        self.body_seconds = timeout

    def detach(self) -> NoReturn:
        """Raise `NotImplementedError`: the connection stays with the server."""
        raise NotImplementedError("This server speaks HTTP only: connections cannot be detached.")

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "asyncio.Future[None]":
        """Write status line and headers, and the first piece of the body.

        Raises `ValueError` for characters that would end a line, `HTTPOutputError` for a body of another length.
        """
        status, reason = cast("ResponseStartLine", start_line)[1:]
        version, method = self._head.start_line.version, self._head.start_line.method
        self._has_body = method != "HEAD" and status not in _WITHOUT_BODY and status >= _FIRST_FINAL
        if not self._has_body:
            self._left = 0
        elif "Content-Length" in headers:
            self._left = int(headers["Content-Length"])
        else:
            self._is_chunked = version == "HTTP/1.1"
            self.is_last = self.is_last or not self._is_chunked
        if self._output is None:
            return _closed()
        if "Connection" in headers:
            self.is_last = self.is_last or "close" in headers["Connection"].lower()
            del headers["Connection"]
        self.is_last = self.is_last or self._output.is_stopping
        lines = [f"HTTP/1.1 {status} {reason}", *[f"{name}: {value}" for name, value in headers.get_all()]]
        self._end_head(lines, version)
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
            raise ValueError("A header of the answer contains a line end or NUL.")
        self.is_begun = True
        return self._output.write(text.encode("latin-1") + b"\r\n\r\n", self._framed(chunk))

    def _end_head(self, lines: list[str], version: str) -> None:
        """Add the headers that are the connection's own."""
        if self._is_chunked:
            lines.append("Transfer-Encoding: chunked")
        if self.is_last:
            lines.append("Connection: close")
        elif version == "HTTP/1.0":
            lines.append("Connection: keep-alive")

    def _framed(self, chunk: bytes | None) -> bytes:
        if not chunk:
            return b""
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0 and self._has_body:
                self._abort()
                raise HTTPOutputError("The body of the answer is longer than its Content-Length.")
        if not self._has_body:
            return b""
        # An empty chunk would be the last one.
        return b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._is_chunked else chunk

    def write(self, chunk: bytes) -> "asyncio.Future[None]":
        """Write a piece of the body. The future is done when the client has read enough for another one."""
        if self._output is None:
            return _closed()
        return self._output.write(self._framed(chunk))

    def finish(self) -> None:
        """End the answer. Raises `HTTPOutputError` if it has no headers, or a body shorter than its Content-Length."""
        output = self._output
        if output is None or self.is_finished:
            return
        if not self.is_begun:
            self._abort()
            raise HTTPOutputError("The answer ends before its headers are written.")
        if self._left and self._has_body:
            self._abort()
            raise HTTPOutputError(f"The body of the answer is {self._left} bytes shorter than its Content-Length.")
        if self._is_chunked:
            output.write(_LAST_CHUNK)
        self.is_finished = True
        # What is written from now on would stand in the next answer.
        self._output = None
        self.close_callback = None
        output.answered(self)

    def lose(self) -> None:
        """Note that the connection is gone."""
        self._output = None
        callback, self.close_callback = self.close_callback, None
        if callback is not None:
            callback()

    def _abort(self) -> None:
        # What is missing or too much would be taken from or for the next answer.
        if self._output is not None:
            self._output.abort()


def _closed() -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(StreamClosedError())
    # The exception is for those who wait; others need not hear of it.
    future.exception()
    return future
