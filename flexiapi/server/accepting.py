"""Accepting of connections: shares, caps, and pauses when descriptors run out."""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from typing import Any

from flexiapi.observing import log
from flexiapi.server.entrance import Arrival, Entrance, Peer
from flexiapi.server.listening import refuses_connections
from flexiapi.server.proxy_protocol import WrongProxyHeader
from flexiapi.server.rare_warning import RareWarning
from flexiapi.server.shares import ConnectionShares

_MOST_A_TURN = 64
_PAUSE_SECONDS = 0.5
# A process that has fewer connections gets this time to take one; then it is left out of account for longer.
_HOLD_SECONDS = 0.001
_MOST_HOLDS = 10
_REGARDLESS_SECONDS = 0.25
# In which a connection has to come to its first request, or to make room if there is none.
_PATIENCE_SECONDS = 2.0
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Faults of the connection, not of the socket (accept(2)): the next one is accepted.
_PASSING = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNABORTED", "EPERM", "EPROTO", "ENOPROTOOPT", "EOPNOTSUPP"),
        *("ENETDOWN", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "ENETUNREACH"),
    )
)


class Acceptor:
    """Accepts connections and hands them over to protocols, which `connected` makes.

    At `most` open connections it calls `make_room` and waits; `released` tells it that one was closed. When
    several processes share the socket, which have `shares`, each takes one connection a turn, and leaves it for a
    moment to one that has fewer, so that none takes a burst alone.
    """

    def __init__(
        self,
        connected: Callable[[Peer], asyncio.BaseProtocol],
        entry: Entrance,
        *,
        most: int,
        make_room: Callable[[], None],
        shares: ConnectionShares | None = None,
    ) -> None:
        self.listeners: list[socket.socket] = []
        self.accepted_at = 0.0
        self._connected = connected
        self._entry = entry
        self._most = most
        self._make_room = make_room
        self._shares = shares
        self._most_a_turn = _MOST_A_TURN if shares is None else 1
        self._hold: asyncio.TimerHandle | None = None
        self._regardless_until = 0.0
        self._open = 0
        self._arrivals: dict[asyncio.Task[None], Arrival] = {}
        self._is_full = False
        self._pause: asyncio.TimerHandle | None = None
        self._full = RareWarning("connections wait: as many are open as there may be")
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
        self._tell()
        if not self._is_paused():
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def released(self) -> None:
        """Note that a connection was closed; accept again if there was no room for another one."""
        self._open -= 1
        self._tell()
        if self._is_full and self._open < self._most:
            self._is_full = False
            self._go_on()

    def stop(self) -> None:
        """Close the listening sockets; accept first what waits in a queue that no other process empties."""
        self._halt()
        listeners, self.listeners = self.listeners, []
        self._tell()
        for timer in (self._pause, self._hold):
            if timer is not None:
                timer.cancel()
        for listener in listeners:
            # No limit but that of descriptors: those that are not accepted now are reset.
            while refuses_connections(listener):
                try:
                    self._begin(*listener.accept())
                except OSError as error:
                    if error.errno not in _PASSING:
                        break
            listener.close()

    def abandon(self, seconds: float = 0.0) -> None:
        """Close the connections that are not handed over yet, and were accepted so many seconds ago."""
        for task, arrival in self._arrivals.items():
            # Without TLS a protocol has its connection within two turns; uvloop would close that without telling it.
            if arrival.since <= time.monotonic() - seconds and not (arrival.has_protocol and self._entry.tls is None):
                task.cancel()

    def _is_paused(self) -> bool:
        return self._is_full or self._pause is not None or self._hold is not None

    def _tell(self) -> None:
        """Tell the other processes how many connections this one has."""
        if self._shares is not None:
            accepts = self.listeners and not self._is_full and self._pause is None
            self._shares.note(self._open if accepts else None)

    def _halt(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self.listeners:
            loop.remove_reader(listener)

    def _go_on(self) -> None:
        self._tell()
        if not self._is_paused():
            loop = asyncio.get_running_loop()
            for listener in self.listeners:
                loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accept what waits, up to the share of one turn."""
        if self._open >= self._most:
            self._is_full = True
            self._full.write(connections=self._open)
            self._halt()
            self._tell()
            self.abandon(_PATIENCE_SECONDS)
            self._make_room()
            return
        if self._shares is not None and self._is_ahead(self._shares):
            self._halt()
            self._hold_back(self._shares, self._shares.least(), _MOST_HOLDS)
            return
        for _ in range(min(self._most_a_turn, self._most - self._open)):
            try:
                self._begin(*listener.accept())
            except OSError as error:
                if error.errno not in _PASSING:
                    self._stay(listener, error)
                    return

    def _is_ahead(self, shares: ConnectionShares) -> bool:
        """Return whether the next connection is for another process."""
        return shares.is_ahead() and time.monotonic() >= self._regardless_until

    def _hold_back(self, shares: ConnectionShares, least: int | None, times: int) -> None:
        """Leave a connection for a moment to the process that has `least`, and look again, so many times at most."""
        loop = asyncio.get_running_loop()
        self._hold = loop.call_later(_HOLD_SECONDS, self._look_again, shares, least, times)

    def _look_again(self, shares: ConnectionShares, least: int | None, times: int) -> None:
        if shares.least() == least and self._is_ahead(shares):
            if times > 1:
                self._hold_back(shares, least, times - 1)
                return
            # It does not take any, for whatever reason.
            self._regardless_until = time.monotonic() + _REGARDLESS_SECONDS
        self._hold = None
        self._go_on()

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
        self._tell()
        if error.errno in _SCARCE:
            self._make_room()

    def _end_pause(self) -> None:
        self._pause = None
        self._go_on()

    def _begin(self, connection: socket.socket, address: Any) -> None:
        self.accepted_at = time.monotonic()
        self._open += 1
        self._tell()
        arrival = Arrival.of(connection, address)
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
            await arrival.enter(self._connected, self._entry)
        except WrongProxyHeader as error:
            self._refused.write(peer=arrival.ip, reason=str(error))
        except OSError as error:  # the client has gone, is too slow, or speaks no TLS
            log.debug("connection closed before HTTP", peer=arrival.ip, reason=str(error))
        except Exception as error:  # noqa: BLE001  # it must not end the others
            self._failed.write(peer=arrival.ip, reason=repr(error))
