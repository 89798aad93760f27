"""The steps of a connection before the first byte of HTTP: the PROXY header, and TLS."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flexiapi.server.proxy_protocol import WrongProxyHeader, client_of
from flexiapi.settings.values import Sources
from flexiapi.web.peers import UNIX, is_listed


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
    farewell_seconds: float = 30.0


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

    @classmethod
    def of(cls, connection: socket.socket, address: Any) -> "Arrival":
        """Return what `accept` has returned, ready for its first steps."""
        connection.setblocking(False)
        if connection.family == socket.AF_UNIX:
            return cls(connection, UNIX)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection, address[0])

    async def enter(self, connected: Callable[[Peer], asyncio.BaseProtocol], entrance: Entrance) -> None:
        """Take the connection through its steps, and hand it over to a protocol.

        Raises `WrongProxyHeader`, and `OSError` if the connection breaks, is too slow, or speaks no TLS.
        """
        ip, tls = await self._client(entrance), entrance.tls

        def protocol() -> asyncio.BaseProtocol:
            made = connected(Peer(ip, "http" if tls is None else "https"))
            self.has_protocol = True
            return made

        await asyncio.get_running_loop().connect_accepted_socket(
            protocol,
            self.connection,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else entrance.handshake_seconds,
            ssl_shutdown_timeout=None if tls is None else entrance.farewell_seconds,
        )
        self.is_handed_over = True

    async def _client(self, entrance: Entrance) -> str:
        """Return the address of the client, which a PROXY header names if there has to be one."""
        if not entrance.proxy_protocol or not is_listed(self.ip, entrance.proxy_protocol):
            return self.ip
        try:
            async with asyncio.timeout(entrance.header_seconds):
                return await client_of(self.connection, self.ip)
        except TimeoutError as error:
            raise WrongProxyHeader("there was no whole header in time") from error
