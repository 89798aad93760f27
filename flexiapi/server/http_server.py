"""HTTP server that stops without dropping accepted connections."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

_KEPT_ALIVE_SECONDS = 0.25
_FIRST_REQUEST_SECONDS = 2.0
_POLL_SECONDS = 0.02
_TURNS_OF_A_POLL = 2


class GracefulServer(HTTPServer):
    """Tornado's server with a record of connections that wait for their first answer."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Accept the arguments of Tornado's server."""
        super().initialize(*args, **kwargs)
        self._requests_of: dict[HTTP1ServerConnection, int] = {}

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Count the requests of a connection; Tornado calls this before the first byte of each."""
        connection = cast("HTTP1ServerConnection", server_conn)
        self._requests_of[connection] = self._requests_of.get(connection, 0) + 1
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Forget a closed connection."""
        self._requests_of.pop(cast("HTTP1ServerConnection", server_conn), None)
        super().on_close(server_conn)

    async def finish(self, drain: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Refuse new connections, answer the accepted ones, then close. `drain` waits until no request is under way.

        After `seconds` the remaining connections are closed even if requests are under way.
        """
        # Earlier connections may still be in the kernel's queue: closing the socket would reset them.
        for _ in range(_TURNS_OF_A_POLL):
            await asyncio.sleep(0)
        self.stop()
        self.conn_params.no_keep_alive = True
        try:
            async with asyncio.timeout(seconds):
                await self._first_answers()
                await drain()
                await self._written()
        except TimeoutError:
            pass
        await self.close_all_connections()

    async def _first_answers(self) -> None:
        """Wait for the first request of each connection, and a moment for another on one that is kept alive."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < _FIRST_REQUEST_SECONDS:
            if passed >= _KEPT_ALIVE_SECONDS and 1 not in self._requests_of.values():
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _written(self) -> None:
        """Wait until slow clients have received their whole answers."""
        while any(connection.stream.writing() for connection in self._requests_of):  # noqa: ASYNC110  # no such event
            await asyncio.sleep(_POLL_SECONDS)
