"""The HTTP server: its connections, their time limits, and a stop that drops none of those that were accepted."""

import asyncio
import functools
import heapq
import select
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

from tornado.httputil import HTTPServerConnectionDelegate

from flexiapi.observing import CONNECTIONS, REFUSED
from flexiapi.server.accepting import Acceptor
from flexiapi.server.entrance import Entrance
from flexiapi.server.http1.connection import ClientConnection
from flexiapi.server.http1.intake import HEAD
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http1.refusal import RefusedRequest, answer_of
from flexiapi.server.listening import refuse_connections, refuses_connections
from flexiapi.server.rare_warning import RareWarning
from flexiapi.server.shares import ConnectionShares

_KEPT_ALIVE_SECONDS = 1.0
_FIRST_REQUEST_SECONDS = 2.0
_QUIET_SECONDS = 0.5
"""Time without a connection after which the queue of a socket that refuses new ones counts as empty: handshakes that
had begun are complete."""
_POLL_SECONDS = 0.02
_TURNS_OF_A_POLL = 2
_SWEEP_SECONDS = 0.5
_READ_BYTES = 16 * 1024
_MOST_CLOSED = 16
_DEFAULT_LIMITS = HttpLimits()
_NO_STEPS = Entrance()


class HttpServer:
    """A server of HTTP/1.0 and 1.1 for a delegate such as a Tornado application; it needs a running event loop."""

    def __init__(
        self,
        delegate: HTTPServerConnectionDelegate,
        limits: HttpLimits = _DEFAULT_LIMITS,
        entrance: Entrance = _NO_STEPS,
        *,
        most_connections: int = sys.maxsize,
        shares: ConnectionShares | None = None,
    ) -> None:
        self.delegate = delegate
        self.limits = limits
        self.is_stopping = False
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        self.room: asyncio.Future[None] = self._loop.create_future()
        self.room.set_result(None)
        self._open: set[ClientConnection] = set()
        self._unread = RareWarning("answer cut: the client does not read it")
        self._refused = defaultdict[int, RareWarning](lambda: RareWarning("request refused before an endpoint saw it"))
        self._acceptor = Acceptor(
            functools.partial(ClientConnection, self),
            entrance,
            most=most_connections,
            make_room=self._make_room,
            shares=shares,
        )
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._end_overdue)

    def add_socket(self, listener: socket.socket) -> None:
        """Accept connections from a listening socket."""
        self._acceptor.add_socket(listener)

    # For connections.

    def opened(self, connection: ClientConnection) -> None:
        """Note a new connection."""
        self._open.add(connection)
        CONNECTIONS.inc()

    def closed(self, connection: ClientConnection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        CONNECTIONS.dec()
        self._acceptor.released()
        self.delegate.on_close(connection)

    def gave_up(self, ip: str) -> None:
        """Log now and then that a client did not read its answer."""
        self._unread.write(peer=ip)

    def answer_of(self, refusal: RefusedRequest, ip: str) -> bytes:
        """Return the answer to a refused request of this client; count that, and log it now and then."""
        REFUSED.labels(str(refusal.status)).inc()
        # By status, so that one kind of refusal does not hide the others.
        self._refused[refusal.status].write(peer=ip, status=refusal.status, reason=refusal.message)
        return answer_of(refusal, time.time())

    def _end_overdue(self) -> None:
        """End the connections whose time is over. A timer for each of them would cost every request."""
        # First, for an application that fails when it is told of an end must not keep all others open.
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._end_overdue)
        now = self.now()
        overdue = [each for each in self._open if each.intake.deadline <= now or each.room.deadline <= now]
        for connection in overdue:
            connection.expire()
        if self._acceptor.is_full:
            self._acceptor.abandon(_FIRST_REQUEST_SECONDS)
            self._make_room()

    def _make_room(self) -> None:
        """Close the connections that have been without a request for longest, so that others come in.

        Without any, those whose requests began longest ago and have no end of their headers yet.
        """
        idle = [each for each in self._open if not (each.intake.is_busy or self._is_expected(each))]
        for connection in heapq.nsmallest(_MOST_CLOSED, idle, key=lambda each: each.intake.waits_since):
            connection.close()
        if not idle:
            due = self.now() + self.limits.header_seconds - _FIRST_REQUEST_SECONDS
            slow = [each for each in self._open if each.intake.stage == HEAD and each.intake.deadline <= due]
            for connection in heapq.nsmallest(_MOST_CLOSED, slow, key=lambda each: each.intake.deadline):
                if connection.intake.has_begun:
                    connection.expire()

    # The end.

    async def finish(self, drain: Callable[[], Awaitable[None]], seconds: float, *, refuses: bool = True) -> None:
        """Refuse new connections, answer the accepted ones, then close. `drain` waits until no request is under way.

        After `seconds` the remaining connections are closed even if requests are under way. Without `refuses` the
        other processes that share the socket go on with it.
        """
        if refuses:
            for listener in self._acceptor.listeners:
                refuse_connections(listener)
        self.is_stopping = True
        try:
            async with asyncio.timeout(seconds):
                await self._accept_queued()
                began = self.now()
                while self._close_idle(began):  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(_POLL_SECONDS)
                await drain()
        except TimeoutError:
            self._acceptor.stop()
        self._sweep.cancel()
        self._acceptor.abandon()
        # Each ends within a turn of the loop, and those that were being handed over come in meanwhile.
        while self._open or self._acceptor.handshakes:
            for connection in list(self._open):
                connection.abort()
            await asyncio.sleep(0)

    async def _accept_queued(self) -> None:
        """Accept until the queue is empty: closing the socket resets the connections that wait in it.

        While the socket does not refuse new ones, because others go on with it, only those that are there now.
        """
        began = time.monotonic()
        for _ in range(_TURNS_OF_A_POLL):
            await asyncio.sleep(0)
        if all(map(refuses_connections, self._acceptor.listeners)):
            while time.monotonic() - max(began, self._acceptor.accepted_at) < _QUIET_SECONDS:  # noqa: ASYNC110  # time
                await asyncio.sleep(_POLL_SECONDS)
        self._acceptor.stop()

    def _close_idle(self, stopping_since: float) -> bool:
        """Close the connections from which no request is expected any more. Return whether others are left."""
        for connection in list(self._open):
            if not (
                connection.intake.is_busy or self._is_expected(connection, stopping_since) or _has_unread(connection)
            ):
                connection.close()
        self._acceptor.abandon(_FIRST_REQUEST_SECONDS)
        return bool(self._open or self._acceptor.handshakes)

    def _is_expected(self, connection: ClientConnection, stopping_since: float = 0.0) -> bool:
        """Return whether there is still time for the next request to arrive."""
        intake = connection.intake
        passed = self.now() - max(intake.waits_since, stopping_since)
        return passed < (_KEPT_ALIVE_SECONDS if intake.requests else _FIRST_REQUEST_SECONDS)


def _has_unread(connection: ClientConnection) -> bool:
    """Return whether bytes have arrived that the event loop has not read yet."""
    watched = select.poll()
    watched.register(connection.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(watched.poll(0))
