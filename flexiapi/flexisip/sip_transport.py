"""Transports of the SIP client: UDP, TCP and TLS (RFC 3261 section 18)."""

import asyncio
import re
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Self

from flexiapi.flexisip.sip_wire import Response, content_length, parse_response
from flexiapi.sip_address import HOST, port_number

_PROXY = re.compile(
    rf"(?P<scheme>sips?):(?P<host>{HOST})(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:;transport=(?P<transport>udp|tcp|tls))?(?:;lr)?",
    re.IGNORECASE,
)
_LARGEST_BODY = 65536
_WAITING_DATAGRAMS = 100


class Unreached(ConnectionError):
    """The address does not accept connections, so nothing that was sent has been received."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that requests are sent to. `transport` is `UDP`, `TCP` or `TLS`."""

    host: str
    port: int
    transport: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Parse `sip:host[:port][;transport=udp|tcp|tls]` or `sips:host[:port]`.

        Raises `ValueError` on anything else.
        """
        match = _PROXY.fullmatch(uri.strip())
        if match is None:
            raise ValueError("not a proxy such as sip:host:port;transport=tcp")
        secure = match["scheme"].lower() == "sips"
        transport = (match["transport"] or ("tls" if secure else "udp")).upper()
        if secure and transport == "UDP":
            raise ValueError("sips is not for UDP")
        transport = "TLS" if secure else transport
        return cls(
            match["host"].strip("[]"), port_number(match["port"]) or (5061 if transport == "TLS" else 5060), transport
        )

    async def addresses(self) -> list[tuple[str, int]]:
        """Resolve the host name to addresses with the port, in the resolver's order. Raises `OSError` without any."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys((str(address[0]), self.port) for *_, address in found))


class SipTransport(ABC):
    """A transport to one address. Its failures are `ConnectionError`; `local` is the own address for a Via."""

    name: ClassVar[str]
    reliable: ClassVar[bool]
    local: str

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Send one message."""

    @abstractmethod
    async def receive(self) -> Response:
        """Return the next response; anything else is ignored."""

    @abstractmethod
    def close(self) -> None:
        """Close it immediately."""


class _Arrivals(asyncio.DatagramProtocol):
    """Queues received datagrams; when the queue is full, further ones are lost, as datagrams may be."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | OSError] = asyncio.Queue(_WAITING_DATAGRAMS)

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """Queue a datagram; the socket is connected to one peer only."""
        self._put(data)

    def error_received(self, exc: Exception) -> None:
        """Queue the error that the peer's host reports by ICMP."""
        self._put(Unreached(str(exc)))

    def _put(self, item: bytes | OSError) -> None:
        if not self.queue.full():
            self.queue.put_nowait(item)


class Datagrams(SipTransport):
    """UDP. The socket is connected, so that only the proxy is heard and its absence is noticed."""

    name = "UDP"
    reliable = False

    def __init__(self, transport: asyncio.DatagramTransport, arrivals: _Arrivals) -> None:
        self._transport, self._arrivals = transport, arrivals
        self.local = _local(transport)

    @classmethod
    async def open(cls, address: tuple[str, int]) -> Self:
        """Bind a local port to talk to `address`."""
        loop = asyncio.get_running_loop()
        try:
            return cls(*await loop.create_datagram_endpoint(_Arrivals, remote_addr=address))
        except OSError as error:
            raise Unreached(str(error)) from error

    def send(self, message: bytes) -> None:
        """Send one datagram."""
        self._transport.sendto(message)

    async def receive(self) -> Response:
        """Return the next datagram that is a response."""
        while True:
            arrived = await self._arrivals.queue.get()
            if isinstance(arrived, OSError):
                raise arrived
            try:
                return parse_response(arrived)
            except ValueError:
                continue

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()


class Stream(SipTransport):
    """TCP."""

    name = "TCP"
    reliable = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.local = _local(writer.transport)

    @classmethod
    async def open(
        cls, address: tuple[str, int], context: ssl.SSLContext | None = None, host: str | None = None
    ) -> Self:
        """Connect to `address`; with a TLS `context`, its certificate must be valid for `host`."""
        try:
            return cls(*await asyncio.open_connection(*address, ssl=context, server_hostname=host if context else None))
        except OSError as error:
            raise Unreached(str(error)) from error

    def send(self, message: bytes) -> None:
        """Write one message."""
        self._writer.write(message)

    async def receive(self) -> Response:
        """Return the next message that is a response. Keep-alives (RFC 5626) and requests are ignored."""
        while True:
            head = await self._head()
            try:
                return parse_response(head)
            except ValueError:
                continue

    def close(self) -> None:
        """Close the connection."""
        self._writer.transport.abort()

    async def _head(self) -> bytes:
        """Return the headers of the next message, and drop its body."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).lstrip(b"\r\n")
            await self._reader.readexactly(min(content_length(head), _LARGEST_BODY))
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
            # OSError too: a TimeoutError of the connection must not look like one of a timer.
            raise ConnectionResetError("the connection ended, or carries no SIP") from error
        return head


class TlsStream(Stream):
    """TLS over TCP."""

    name = "TLS"


@asynccontextmanager
async def reach(
    proxy: Proxy, address: tuple[str, int], context: ssl.SSLContext, *, large: bool
) -> AsyncIterator[SipTransport]:
    """Open the proxy's transport to one of its addresses; `large` messages use TCP instead of UDP (section 18.1.1)."""
    transport = await _opened(proxy, address, context, large=large)
    try:
        yield transport
    finally:
        transport.close()


async def _opened(proxy: Proxy, address: tuple[str, int], context: ssl.SSLContext, *, large: bool) -> SipTransport:
    if proxy.transport == "TLS":
        return await TlsStream.open(address, context, proxy.host)
    if proxy.transport == "TCP":
        return await Stream.open(address)
    if large:
        try:
            return await Stream.open(address)
        except Unreached:
            # A proxy without TCP may still accept datagrams that IP must fragment.
            return await Datagrams.open(address)
    return await Datagrams.open(address)


def _local(transport: asyncio.BaseTransport) -> str:
    host, port, *_ = transport.get_extra_info("sockname")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
