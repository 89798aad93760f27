"""Small sites on free loopback ports, each on our server or on Tornado's own."""

import asyncio
import contextlib
import json
import socket

import pytest
import uvloop
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body

from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http_server import HttpServer
from tests.kit.watched_log import LOG

OURS, TORNADO = KINDS = ("ours", "tornado")
LOOPS = [pytest.param(uvloop.new_event_loop, id="uvloop"), pytest.param(asyncio.new_event_loop, id="asyncio")]
"""Those that `flexiapi serve` runs on, with and without uvloop."""
PATIENCE = 120
"""Time in seconds after which a test that waits for what never comes is ended."""

MIB = 1024 * 1024


class Echo(RequestHandler):
    """Method, target, headers and body of a request, as JSON."""

    async def _answer(self, target):
        if self.request.path == "/slow":
            self.application.arrived.set()
            await self.application.may_answer.wait()
        seen = {
            "method": self.request.method,
            "uri": self.request.uri,
            "argument": target,
            "version": self.request.version,
            "headers": list(self.request.headers.get_all()),
            "body": self.request.body.decode("latin-1"),
        }
        self.application.seen.append(seen)
        self.write(seen)

    get = head = post = put = patch = delete = options = _answer


class Status(RequestHandler):
    """An answer with the status in the path, and without a body."""

    def get(self, status):
        self.application.seen.append(status)
        self.set_status(int(status))

    head = get


class Big(RequestHandler):
    """An answer of as many bytes as the path says, written at once."""

    def get(self, size):
        self.application.seen.append(size)
        self.write(b"x" * int(size))

    head = get


class Stream(RequestHandler):
    """An answer in chunks of 64 KiB, each of which waits until there is room."""

    async def get(self, size):
        self.application.seen.append(0)
        try:
            for _ in range(int(size) // 65536):
                self.write(b"x" * 65536)
                await self.flush()
                self.application.seen[-1] += 65536
        except StreamClosedError as error:
            self.application.failures.append(error)
        finally:
            self.application.ended.set()

    def on_connection_close(self):
        self.application.closed.set()


@stream_request_body
class Early(RequestHandler):
    """An answer that is complete before the body is read."""

    def prepare(self):
        self.application.seen.append("early")
        self.set_status(401)
        self.finish({"message": "Not for you."})

    def data_received(self, chunk):
        self.application.seen.append(chunk)

    def post(self):
        self.application.seen.append("late")


class Pages(Application):
    """The pages, and what was asked of them."""

    def __init__(self):
        pages = [
            (r"/status/(\d+)", Status),
            (r"/big/(\d+)", Big),
            (r"/stream/(\d+)", Stream),
            (r"/early", Early),
            (r"(.*)", Echo),
        ]
        super().__init__(pages, log_function=lambda _: None)
        self.seen, self.failures = [], []
        self.arrived, self.may_answer = asyncio.Event(), asyncio.Event()
        self.ended, self.closed = asyncio.Event(), asyncio.Event()


class Message(HTTPMessageDelegate):
    """A request that a delegate without Tornado's handlers receives; override what a test is about."""

    def __init__(self, connection, site):
        self.connection, self.site = connection, site
        self.events = []

    def headers_received(self, start_line, headers):
        self.start_line, self.headers = start_line, headers
        self.events.append("headers")

    def data_received(self, chunk):
        self.events.append(chunk)

    def finish(self):
        self.events.append("finish")
        self.answer(json.dumps([*self.start_line]).encode())

    def on_connection_close(self):
        self.events.append("close")
        self.site.closed.set()

    def answer(self, body, status=200, **headers):
        """Answer with this body."""
        lines = HTTPHeaders({"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}})
        self.connection.write_headers(ResponseStartLine("HTTP/1.1", status, "OK"), lines, body)
        self.connection.finish()


class Messages(HTTPServerConnectionDelegate):
    """A delegate that makes one `Message` of a class for each request, and keeps them."""

    def __init__(self, kind=Message):
        self.kind, self.all, self.ended = kind, [], []
        self.closed = asyncio.Event()

    def start_request(self, server_conn, request_conn):
        self.all.append(self.kind(request_conn, self))
        return self.all[-1]

    def on_close(self, server_conn):
        self.ended.append(server_conn)

    async def until_ended(self, count=1):
        """Return once so many connections have ended. Tornado's server does not tell."""
        while len(self.ended) < count:  # noqa: ASYNC110  # no such event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(kind, delegate, limits=None, receive_buffer=None):
    """The address of a running server of this kind, which is `delegate.server`.

    `limits` are those of ours, `receive_buffer` is in bytes.
    """
    LOG.served = True
    listener = socket.socket()
    if receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    listener.setblocking(False)
    if kind == OURS:
        server = HttpServer(delegate, limits or HttpLimits())
    else:
        server = HTTPServer(delegate, max_body_size=16 * MIB, max_header_size=32 * 1024)
    server.add_socket(listener)
    delegate.server = server
    try:
        yield listener.getsockname()
    finally:
        await _end(server)


async def _end(server):
    if isinstance(server, HTTPServer):
        server.stop()
        await server.close_all_connections()
    else:
        await server.finish(_nothing, 0, refuses=False)


async def _nothing():
    pass


def run(test, *arguments, loop_factory=uvloop.new_event_loop):
    """Run a coroutine function of a test to its end, on the loop that the server most often has."""

    async def inside():
        async with asyncio.timeout(PATIENCE):
            return await test(*arguments)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(inside())
