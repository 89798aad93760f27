"""The PROXY protocol, version 2: a header with which a front server names its client, before TLS and HTTP.

Extensions (TLVs) are skipped, also the one about TLS: the scheme is that of the connection or of `X-Forwarded-Proto`.
"""

import asyncio
import socket
import struct
from ipaddress import IPv4Address, IPv6Address

from flexiapi.web.peers import HIDDEN

MOST_BYTES = 4096
"""Most bytes after the fixed part; addresses take at most 216, and the rest are extensions."""

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = struct.Struct("!12sBBH")
_VERSION_2 = 0x20
_LOCAL, _PROXY = 0x0, 0x1
_UNSPECIFIED, _INET, _INET6, _UNIX = 0x0, 0x1, 0x2, 0x3
_ANY_TRANSPORT, _STREAM = 0x0, 0x1
# Of both addresses, and of both ports.
_SIZES = {_UNSPECIFIED: 0, _INET: 12, _INET6: 36, _UNIX: 216}


class WrongProxyHeader(Exception):
    """A connection does not begin with a header that can be used. The text says why, and repeats no byte of it."""


async def client_of(connection: socket.socket, peer: str) -> str:
    """Read the header, and not a byte more. Return the IP address of the client that it names.

    It is `peer` for a connection of the front server's own, and `HIDDEN` if the client has no IP address. Raises
    `WrongProxyHeader`, and `OSError` if the connection breaks or no byte is sent.
    """
    signature, command, family, size = _FIXED.unpack(await _exactly(connection, _FIXED.size))
    if signature != _SIGNATURE:
        raise WrongProxyHeader("it begins with something else than a header of version 2")
    if command & 0xF0 != _VERSION_2 or command & 0x0F not in (_LOCAL, _PROXY):
        raise WrongProxyHeader("the version or command is unknown")
    if size > MOST_BYTES:
        raise WrongProxyHeader(f"the header has more than {MOST_BYTES} bytes")
    body = await _exactly(connection, size)
    return peer if command & 0x0F == _LOCAL else _source(family >> 4, family & 0x0F, body)


async def _exactly(connection: socket.socket, size: int) -> bytes:
    """Read so many bytes. The rest belongs to TLS or HTTP."""
    loop, read = asyncio.get_running_loop(), b""
    while len(read) < size:
        part = await loop.sock_recv(connection, size - len(read))
        if not part and not read and size == _FIXED.size:
            raise ConnectionAbortedError("closed without a byte, as checks of ports do")
        if not part:
            raise WrongProxyHeader("the connection ended within the header")
        read += part
    return read


def _source(family: int, transport: int, body: bytes) -> str:
    least = _SIZES.get(family)
    if least is None or transport not in (_ANY_TRANSPORT, _STREAM):
        raise WrongProxyHeader("the address family or transport is unknown")
    if (transport == _ANY_TRANSPORT) != (family == _UNSPECIFIED):
        raise WrongProxyHeader("the address family and transport do not go together")
    if len(body) < least:
        raise WrongProxyHeader("the header is too short for its addresses")
    if family == _INET:
        return str(IPv4Address(body[:4]))
    if family == _INET6:
        address = IPv6Address(body[:16])
        return str(address.ipv4_mapped or address)
    return HIDDEN
