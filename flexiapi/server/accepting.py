"""Connections from the listening socket to the first byte of HTTP: accepting, the PROXY header, and TLS."""

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flexiapi.observing import log
from flexiapi.server.listening import refuses_connections
from flexiapi.server.proxy_protocol import WrongProxyHeader, client_of
from flexiapi.settings.values import Sources
from flexiapi.web.peers import UNIX, is_listed

_MOST_A_TURN = 64
_PAUSE_SECONDS = 0.5
# In which a connection has to come to its first request, or to make room if there is none.
_PATIENCE_SECONDS = 2.0
_TOLD_SECONDS = 60.0
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Faults of the connection, not of the socket (accept(2)): the next one is accepted.
_PASSING = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNABORTED", "EPERM", "EPROTO", "ENOPROTOOPT", "EOPNOTSUPP"),
        *("ENETDOWN", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "ENETUNREACH"),
    )
)


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a connection, and the `context` of its requests as Tornado calls it.

    `remote_ip` is an IP address, `UNIX` for a process of this host on the unix socket, or `HIDDEN` if a PROXY header
    names no client.
    """

    remote_ip: str
    protocol: Literal["http", "https"]


@dataclass(frozen=True)
class Entrance:
    """The steps of a connection before HTTP: from `proxy_protocol` a PROXY header, then TLS if there is a context."""

    tls: ssl.SSLContext | None = None
    proxy_protocol: Sources = ()
    header_seconds: float = 10.0
    handshake_seconds: float = 10.0


class RareWarning:
    """A log line that is written at most once a minute, with the number of those that were not."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._tell_at = 0.0
        self._untold = 0

    def write(self, **details: object) -> None:
        """Write the line, unless it was written within the last minute."""
        now = time.monotonic()
        if now < self._tell_at:
            self._untold += 1
            return
        more = {"more": self._untold} if self._untold else {}
        self._tell_at, self._untold = now + _TOLD_SECONDS, 0
        log.warning(self._event, **details, **more)


class Arrival:
    """A connection that is not handed over yet.

    From the moment that it has a protocol, its transport owns the descriptor, and closes it also if the handshake
    fails.
    """

    def __init__(self, connection: socket.socket, ip: str) -> None:
        self.connection = connection
        self.ip = ip
        self.since = time.monotonic()
        self.has_protocol = False
        self.is_handed_over = False


class Acceptor:
    """Accepts connections and hands them over to protocols, which `connected` makes.

    At `most` open connections it calls `make_room` and waits; `released` tells it that one was closed. When several
    processes share the socket, each takes one connection a turn, so that none takes a burst alone.
    """

    def __init__(
        self,
        connected: Callable[[Peer], asyncio.BaseProtocol],
        entry: Entrance,
        *,
        most: int,
        make_room: Callable[[], None],
        is_shared: bool,
    ) -> None:
        self.listeners: list[socket.socket] = []
        self.accepted_at = 0.0
        self._connected = connected
        self._entry = entry
        self._most = most
        self._make_room = make_room
        self._most_a_turn = 1 if is_shared else _MOST_A_TURN
        self._open = 0
        self._arrivals: dict[asyncio.Task[None], Arrival] = {}
        self._is_full = False
        self._pause: asyncio.TimerHandle | None = None
        self._scarce = RareWarning("connections wait: they cannot be accepted now")
        self._refused = RareWarning("connection refused: a front server of server.proxy_protocol sent no PROXY header")
        self._failed = RareWarning("connection lost: it could not be handed over")

    @property
    def is_open(self) -> bool:
        """True while connections are accepted, now or after a pause."""
        return bool(self.listeners)

    @property
    def is_full(self) -> bool:
        """True while others wait because as many connections are open as there may be."""
        return self._is_full

    @property
    def handshakes(self) -> int:
        """The number of connections that were accepted and not handed over yet."""
        return len(self._arrivals)

    def add_socket(self, listener: socket.socket) -> None:
        """Accept from a listening socket."""
        listener.setblocking(False)
        self.listeners.append(listener)
        if not self._is_paused():
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def released(self) -> None:
        """Note that a connection was closed; accept again if there was no room for another one."""
        self._open -= 1
        if self._is_full and self._open < self._most:
            self._is_full = False
            self._go_on()

    def stop(self) -> None:
        """Close the listening sockets; accept first what waits in a queue that no other process empties."""
        self._halt()
        listeners, self.listeners = self.listeners, []
        if self._pause is not None:
            self._pause.cancel()
        for listener in listeners:
            if refuses_connections(listener):
                # No limit but that of descriptors: those that are not accepted now are reset.
                with contextlib.suppress(OSError):
                    while True:
                        self._begin(*listener.accept())
            listener.close()

    def abandon(self, seconds: float = 0.0) -> None:
        """Close the connections that are not handed over yet, and were accepted so many seconds ago."""
        before = time.monotonic() - seconds
        for task, arrival in self._arrivals.items():
            if arrival.since <= before:
                task.cancel()

    def _is_paused(self) -> bool:
        return self._is_full or self._pause is not None

    def _halt(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self.listeners:
            loop.remove_reader(listener)

    def _go_on(self) -> None:
        if not self._is_paused():
            loop = asyncio.get_running_loop()
            for listener in self.listeners:
                loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accept what waits, up to the share of one turn."""
        if self._open >= self._most:
            self._is_full = True
            self._halt()
            self.abandon(_PATIENCE_SECONDS)
            self._make_room()
            return
        for _ in range(min(self._most_a_turn, self._most - self._open)):
            try:
                self._begin(*listener.accept())
            except OSError as error:
                if error.errno not in _PASSING:
                    self._stay(listener, error)
                    return

    def _stay(self, listener: socket.socket, error: OSError) -> None:
        """Go back to the loop, and pause for a moment if the socket would call again at once."""
        is_empty = error.errno in (errno.EAGAIN, errno.EINVAL)
        if is_empty and listener.family == socket.AF_UNIX and refuses_connections(listener):
            # It is empty for good, and calls on for all that.
            asyncio.get_running_loop().remove_reader(listener)
            return
        if error.errno == errno.EAGAIN:
            return
        self._scarce.write(reason=error.strerror, connections=self._open)
        self._halt()
        self._pause = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._end_pause)
        if error.errno in _SCARCE:
            self._make_room()

    def _end_pause(self) -> None:
        self._pause = None
        self._go_on()

    def _begin(self, connection: socket.socket, address: Any) -> None:
        self.accepted_at = time.monotonic()
        self._open += 1
        connection.setblocking(False)
        ip = UNIX
        if connection.family != socket.AF_UNIX:
            ip = address[0]
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        arrival = Arrival(connection, ip)
        task = asyncio.get_running_loop().create_task(self._enter(arrival))
        self._arrivals[task] = arrival
        task.add_done_callback(self._entered)

    def _entered(self, task: asyncio.Task[None]) -> None:
        arrival = self._arrivals.pop(task)
        if not arrival.has_protocol:
            arrival.connection.close()
        if not arrival.is_handed_over:
            self.released()

    async def _enter(self, arrival: Arrival) -> None:
        """Take a connection through its first steps, and hand it over."""
        try:
            peer = await self._peer(arrival)
            await self._hand_over(arrival, peer)
        except WrongProxyHeader as error:
            self._refused.write(peer=arrival.ip, reason=str(error))
        except OSError as error:  # the client has gone, is too slow, or speaks no TLS
            log.debug("connection closed before HTTP", peer=arrival.ip, reason=str(error))
        except Exception as error:  # noqa: BLE001  # it must not end the others
            self._failed.write(peer=arrival.ip, reason=repr(error))

    async def _peer(self, arrival: Arrival) -> Peer:
        """Return who is at the other end. Raises `WrongProxyHeader`, `OSError`."""
        entry, ip = self._entry, arrival.ip
        if entry.proxy_protocol and is_listed(ip, entry.proxy_protocol):
            try:
                async with asyncio.timeout(entry.header_seconds):
                    ip = await client_of(arrival.connection, ip)
            except TimeoutError as error:
                raise WrongProxyHeader("there was no whole header in time") from error
        return Peer(ip, "http" if entry.tls is None else "https")

    async def _hand_over(self, arrival: Arrival, peer: Peer) -> None:
        """Make the transport, after the TLS handshake if there is one. Raises `OSError`."""
        entry = self._entry

        def protocol() -> asyncio.BaseProtocol:
            made = self._connected(peer)
            arrival.has_protocol = True
            return made

        await asyncio.get_running_loop().connect_accepted_socket(
            protocol,
            arrival.connection,
            ssl=entry.tls,
            ssl_handshake_timeout=None if entry.tls is None else entry.handshake_seconds,
        )
        arrival.is_handed_over = True
