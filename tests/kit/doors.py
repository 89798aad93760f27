"""Listening sockets with an `Acceptor` and a protocol that tells each client who it is, in the test's own loop."""

import asyncio
import contextlib
import socket
import struct
from ipaddress import ip_address, ip_network
from pathlib import Path

from flexiapi.server.accepting import Acceptor
from flexiapi.server.entrance import Entrance

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOOPBACK = (ip_network("127.0.0.0/8"),)


def proxy_header(source="", *, command=1, version=2, family=None, extensions=b"", size=None):
    """A header of the PROXY protocol, version 2, that names a client, in whatever way it is wrong."""
    addresses = b""
    if source:
        packed = ip_address(source).packed
        addresses = packed * 2 + struct.pack("!HH", 5060, 443)
        family = family if family is not None else {4: 0x11, 16: 0x21}[len(packed)]
    body = addresses + extensions
    size = len(body) if size is None else size
    return SIGNATURE + struct.pack("!BBH", version << 4 | command, family or 0, size) + body


class Greeter(asyncio.Protocol):
    """Says `IP PROTOCOL`, then repeats what it gets."""

    def __init__(self, door, peer):
        self.door, self.peer = door, peer

    def connection_made(self, transport):
        self.transport = transport
        self.door.open.append(self)
        transport.write(f"{self.peer.remote_ip} {self.peer.protocol}\n".encode())

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, _error):
        self.door.open.remove(self)
        self.door.acceptor.released()


class Door:
    """A listener on a free port, or on a path, whose connections come to `Greeter`."""

    def __init__(self, path=None, *, most=1000, shares=None, listener=None, **entry):
        self.open, self.asked_for_room = [], 0
        if listener is None and path is not None:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(path))
            listener.listen(1024)
        self.listener = listener or socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = self.listener.getsockname()
        self.acceptor = Acceptor(
            lambda peer: Greeter(self, peer),
            Entrance(**entry),
            most=most,
            make_room=self.make_room,
            shares=shares,
        )
        self.acceptor.add_socket(self.listener)

    def make_room(self):
        self.asked_for_room += 1

    def connected(self, first=b""):
        """A client's socket, connected, of which these bytes are sent."""
        client = socket.socket(self.listener.family)
        client.connect(self.address)
        client.setblocking(False)
        if first:
            client.sendall(first)
        return client

    async def greeting(self, first=b""):
        """The line that a client with this beginning is sent; empty if it is cut off."""
        with self.connected(first) as client:
            return await heard(client)

    async def end(self):
        self.acceptor.stop()
        self.acceptor.abandon()
        while self.open or self.acceptor.handshakes:
            for greeter in list(self.open):
                greeter.transport.abort()
            await asyncio.sleep(0.005)


async def heard(client):
    """The next line that the server sends; empty at the end of the connection."""
    loop, line = asyncio.get_running_loop(), b""
    with contextlib.suppress(ConnectionError):
        while not line.endswith(b"\n") and (part := await loop.sock_recv(client, 4096)):
            line += part
    return line.decode().strip()


async def until(condition):
    """Wait until something is so."""
    while not condition():  # noqa: ASYNC110  # there is no event for it
        await asyncio.sleep(0.005)


def open_sockets():
    """The number of sockets that this process has open. uvloop keeps other descriptors in reserve."""
    found = 0
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(number.readlink()).startswith("socket:")
    return found
