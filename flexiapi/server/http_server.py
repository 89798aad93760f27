"""HTTP server that stops without dropping accepted connections."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from flexiapi.server.listening import refuse_connections, refuses_connections

_KEPT_ALIVE_SECONDS = 1.0
_FIRST_REQUEST_SECONDS = 2.0
_QUIET_SECONDS = 0.5
"""Time without a connection after which the queue of a socket that refuses new ones counts as empty: handshakes that
had begun are complete."""
_POLL_SECONDS = 0.02
_TURNS_OF_A_POLL = 2


class OpenConnection:
    """A connection with its current request, which may not have begun."""

    def __init__(self) -> None:
        self.requests = 0
        self.waits_since = 0.0
        self._current: HTTPConnection | None = None

    def begin(self, current: HTTPConnection) -> None:
        """Note that the next request is waited for."""
        self.requests += 1
        self.waits_since = time.monotonic()
        self._current = current

    def is_busy(self) -> bool:
        """Return whether a request has been read, up to its body at least, and not been answered completely."""
        return getattr(self._current, "_request_start_line", None) is not None

    def is_expected(self, stopping_since: float) -> bool:
        """Return whether there is still time for the next request to arrive."""
        passed = time.monotonic() - max(self.waits_since, stopping_since)
        return passed < (_FIRST_REQUEST_SECONDS if self.requests == 1 else _KEPT_ALIVE_SECONDS)


class GracefulServer(HTTPServer):
    """Tornado's server with a record of its connections."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Accept the arguments of Tornado's server."""
        super().initialize(*args, **kwargs)
        self._open: dict[HTTP1ServerConnection, OpenConnection] = {}
        self._accepted_at = 0.0

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Note the next request of a connection; Tornado calls this before the first byte of each."""
        connection = cast("HTTP1ServerConnection", server_conn)
        known = self._open.get(connection)
        if known is None:
            known = self._open[connection] = OpenConnection()
            self._accepted_at = time.monotonic()
        known.begin(request_conn)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Forget a closed connection."""
        self._open.pop(cast("HTTP1ServerConnection", server_conn), None)
        super().on_close(server_conn)

    async def finish(self, drain: Callable[[], Awaitable[None]], seconds: float, *, refuses: bool = True) -> None:
        """Refuse new connections, answer the accepted ones, then close. `drain` waits until no request is under way.

        After `seconds` the remaining connections are closed even if requests are under way. Without `refuses` the
        other processes that share the socket go on with it.
        """
        listeners = list(self._sockets.values())
        if refuses:
            for listener in listeners:
                refuse_connections(listener)
        self.conn_params.no_keep_alive = True
        try:
            async with asyncio.timeout(seconds):
                await self._accept_queued(listeners)
                began = time.monotonic()
                while self._close_idle(began):  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(_POLL_SECONDS)
                await drain()
        except TimeoutError:
            self.stop()
        await self.close_all_connections()

    async def _accept_queued(self, listeners: list[socket.socket]) -> None:
        """Accept until the queue is empty: closing the socket resets the connections that wait in it.

        While the socket does not refuse new ones, because others go on with it, only those that are there now.
        """
        began = time.monotonic()
        for _ in range(_TURNS_OF_A_POLL):
            await asyncio.sleep(0)
        if all(map(refuses_connections, listeners)):
            while time.monotonic() - max(began, self._accepted_at) < _QUIET_SECONDS:  # noqa: ASYNC110  # time
                await asyncio.sleep(_POLL_SECONDS)
        self.stop()

    def _close_idle(self, stopping_since: float) -> bool:
        """Close the connections from which no request is expected any more. Return whether others are left."""
        for connection, state in list(self._open.items()):
            if not (state.is_busy() or state.is_expected(stopping_since) or _has_unread(connection)):
                connection.stream.close()
        return bool(self._open)


def _has_unread(connection: HTTP1ServerConnection) -> bool:
    """Return whether bytes have arrived that the event loop has not read yet."""
    try:
        return bool(cast("Any", connection.stream).socket.recv(1, socket.MSG_PEEK))
    except (OSError, AttributeError):
        return False
