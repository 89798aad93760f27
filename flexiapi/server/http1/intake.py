"""The requests of a connection, taken from its bytes one after the other and handed to the application."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from tornado.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate

from flexiapi.server.http1.bodies import Body, ChunkedBody, FixedBody
from flexiapi.server.http1.head import RequestReader
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http1.refusal import RefusedRequest
from flexiapi.server.http1.response import ClientOutput, HttpResponse

# The stages of a connection: a head is expected, a body is read, the request is complete, its answer is awaited, and
# the rest is dropped because the last answer is given.
HEAD, BODY, END, ANSWER, DROP = range(5)

_END_OF_HEAD = b"\r\n\r\n"
# With bare line feeds llhttp refuses a head; waiting for a better end of it would take until the time-out.
_WRONG_END_OF_HEAD = re.compile(rb"\n\r?\n")
_REST_OF_LINE = 64
# Of RFC 9110, 5.6.2. Other protocols, TLS above all, begin otherwise, and would wait for the time-out.
_FIRST_OF_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Application(Protocol):
    """The receiver of requests: Tornado's delegate, with the limits of its server and the clock of its event loop."""

    delegate: HTTPServerConnectionDelegate
    limits: HttpLimits
    now: Callable[[], float]


class Intake:
    """The reading side of a connection. It takes a request only when the one before is answered.

    Attributes:
        stage: the stage of the connection.
        data: bytes that have arrived and are not taken yet.
        deadline: the time of the event loop at which the client has taken too long to send.
        requests: number of the requests that have begun.
        waits_since: the time of the event loop since which the current request is expected.
        has_begun: bytes of the current request have arrived.
        is_waiting: the application has not taken yet what it was given.
        response: the answer to the current request.
    """

    __slots__ = (
        "_application",
        "_body",
        "_delegate",
        "_on_taken",
        "_output",
        "_reader",
        "_searched",
        "_seconds_left",
        "_tells_to_continue",
        "data",
        "deadline",
        "has_begun",
        "is_waiting",
        "requests",
        "response",
        "stage",
        "waits_since",
    )

    def __init__(
        self, application: Application, output: ClientOutput, on_taken: Callable[["asyncio.Future[None]"], None]
    ) -> None:
        self._application = application
        self._output = output
        self._on_taken = on_taken
        self._reader = RequestReader(application.limits)
        self._body: Body | None = None
        self.data = b""
        self.requests = 0
        self.is_waiting = False
        self.expect_request()

    @property
    def is_busy(self) -> bool:
        """True if a request has begun that is not answered, or its answer is not sent completely."""
        return self.stage != HEAD or self.has_begun or bool(self.data)

    def expect_request(self) -> None:
        """Begin to wait for the next request."""
        self.stage = HEAD
        self.response: HttpResponse | None = None
        self._delegate: HTTPMessageDelegate | None = None
        self.has_begun = self._tells_to_continue = False
        self._searched = 0
        self.waits_since = self._application.now()
        self.deadline = self.waits_since + self._application.limits.idle_seconds

    def advance(self) -> None:
        """Take what has arrived, as far as possible. Raises `RefusedRequest`, and what the application raises."""
        while not self.is_waiting:
            stage = self.stage
            if stage == END:
                self._complete()
            elif not self.data or stage > END:
                break
            elif stage == BODY:
                self._take_body()
            elif self._output.room.is_full or not self._take_head():
                # Answers that are not read would fill the memory.
                break
        if self._tells_to_continue and self.stage == BODY and not self.is_waiting:
            self._tells_to_continue = False
            self._output.write(_CONTINUE)

    def go_on(self) -> None:
        """Note that the application has taken what it was given."""
        self.is_waiting = False
        if self.stage in (BODY, END):
            self.deadline = self._application.now() + self._seconds_left

    def end(self, deadline: float) -> None:
        """Take nothing any more."""
        self.stage = DROP
        self.data = b""
        self.response = None
        self.deadline = deadline

    def forget(self) -> None:
        """Tell the application that the current request is over, without an answer."""
        delegate, self._delegate = self._delegate, None
        response, self.response = self.response, None
        if delegate is not None:
            delegate.on_connection_close()
        if response is not None:
            response.lose()

    def release(self) -> None:
        """Drop the parser: it and its sink refer to each other, and would wait for the garbage collector."""
        del self._reader, self._output, self._on_taken
        self._body = None

    def _take_head(self) -> bool:
        """Take the head of a request. Return False if it is not complete."""
        data = self.data
        if data[0] in b"\r\n":
            # Some clients end a body with a line that does not belong to it.
            data = self.data = data.lstrip(b"\r\n")
            self._searched = 0
            if not data:
                return False
        end = data.find(_END_OF_HEAD, self._searched)
        limits = self._application.limits
        if end < 0 or end >= limits.header_bytes:
            self._await_head(data)
            return False
        end += len(_END_OF_HEAD)
        self.data = data[end:]
        head = self._reader.head(data[:end])
        self.requests += 1
        self.has_begun = True
        response = self.response = HttpResponse(self._output, head, limits)
        delegate = self._delegate = self._application.delegate.start_request(self._output, response)
        pending = delegate.headers_received(head.start_line, head.headers)
        if self.stage != HEAD:
            return True
        self.stage = END
        if head.length:
            self._expect_body(response, head.length)
            self._tells_to_continue = head.wants_continue and not self.data
        if pending is not None:
            self._wait_for(pending)
        return True

    def _await_head(self, data: bytes) -> None:
        """Wait for the rest of a head. Raises `RefusedRequest` if it cannot become a valid one."""
        limits = self._application.limits
        most_in_line = limits.target_bytes + _REST_OF_LINE
        if len(data) > most_in_line and b"\n" not in data[:most_in_line]:
            raise RefusedRequest(f"The request target is longer than {limits.target_bytes} bytes.", 414)
        if len(data) > limits.header_bytes:
            raise RefusedRequest(f"The headers are longer than {limits.header_bytes} bytes.", 431)
        if (data and not _FIRST_OF_METHOD.match(data)) or _WRONG_END_OF_HEAD.search(data, self._searched):
            raise RefusedRequest("The request is not valid HTTP.")
        self._searched = max(0, len(data) - len(_END_OF_HEAD) + 1)
        if not self.has_begun:
            self.has_begun = True
            self.deadline = self._application.now() + limits.header_seconds

    def _expect_body(self, response: HttpResponse, length: int) -> None:
        if length > response.body_bytes:
            raise RefusedRequest(f"The body is longer than {response.body_bytes} bytes.", 413)
        if length > 0:
            self._body = FixedBody(self._reader, length)
        else:
            self._body = ChunkedBody(self._reader, self._application.limits, response.body_bytes)
        self.stage = BODY
        self.deadline = self._application.now() + response.body_seconds

    def _take_body(self) -> None:
        assert self._body is not None
        assert self._delegate is not None
        content, used = self._body.take(self.data)
        self.data = self.data[used:]
        pending = self._delegate.data_received(content) if content else None
        if self.stage != BODY:
            return
        if self._body.is_complete:
            self._body = None
            self.stage = END
        if pending is not None:
            self._wait_for(pending)

    def _complete(self) -> None:
        """Hand the complete request on."""
        assert self._delegate is not None
        self.stage = ANSWER
        self.deadline = math.inf
        delegate, self._delegate = self._delegate, None
        delegate.finish()

    def _wait_for(self, pending: Awaitable[None]) -> None:
        """Take nothing until the application has taken what it was given. That time is not the client's."""
        self.is_waiting = True
        self._seconds_left = self.deadline - self._application.now()
        self.deadline = math.inf
        asyncio.ensure_future(pending).add_done_callback(self._on_taken)
