"""Base of the HTTP gateways: connections as streams, TLS, faults."""

import asyncio
import socket
import ssl
import struct
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from flexiapi.testing.certificates import Certificates, common_name
from flexiapi.testing.local_server import HOST, OTHER_HOST, LocalServer
from flexiapi.testing.replies import Fault, Reply, Request

_NO_PROTOCOL = b"\x00\xff\x15\x03garbage\r\n\r\n"


class StreamServer(LocalServer[Request]):
    """An HTTP server; with TLS, its certificate is valid for `certificate_for`."""

    protocols: ClassVar[tuple[str, ...]] = ()

    def __init__(self, default: Reply, *, tls: bool, certificate_for: str = HOST) -> None:
        super().__init__(default)
        self._certificates = Certificates(certificate_for) if tls else None
        self._trusted: Certificates | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.most_connections = 0
        """The largest number of connections that were open at once."""

    @property
    def url(self) -> str:
        """The root URL, without a slash at its end."""
        return f"{'https' if self._certificates else 'http'}://{HOST}:{self.port}"

    @property
    def ca_file(self) -> Path:
        """A file with the certificate authority to trust."""
        return (self._trusted or self._own_certificates).ca_file

    def client_certificate(self, name: str) -> Path:
        """Return a PEM file with a client certificate that the server trusts, and its key."""
        return self._own_certificates.client_certificate(name)

    def pose_as_impostor(self, *, is_trusted: bool) -> bool:
        """Have a certificate that no client accepts, also where this server would speak no TLS."""
        if self._certificates is not None:
            self._certificates.discard()
        self._certificates = Certificates(OTHER_HOST if is_trusted else HOST)
        self._trusted = None if is_trusted else Certificates(HOST)
        return True

    @property
    def _own_certificates(self) -> Certificates:
        if self._certificates is None:
            raise ValueError("this gateway speaks no TLS: make it with tls=True")
        return self._certificates

    async def listen(self) -> asyncio.Server:
        """Listen, with TLS if configured."""
        context = self._certificates.server_context(*self.protocols) if self._certificates else None
        return await asyncio.start_server(self._accept, HOST, self.port, ssl=context)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        self.most_connections = max(self.most_connections, len(self._writers))
        try:
            await self.converse(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            # A cancelled handler would be reported as an error of the loop, although the server is stopping.
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.close()

    @abstractmethod
    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""

    async def hang_up(self) -> None:
        """End all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        for certificates in (self._certificates, self._trusted):
            if certificates is not None:
                certificates.discard()


async def misbehave(fault: Fault, writer: asyncio.StreamWriter) -> None:
    """Break the connection, or never answer. Raises `ConnectionError` when the connection is over."""
    if fault == "silence":
        await asyncio.Event().wait()
    if fault == "garbage":
        writer.write(_NO_PROTOCOL)
        await writer.drain()
    if fault == "reset":
        # A linger time of zero makes the kernel send RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    raise ConnectionError(fault)


def client_name(writer: asyncio.StreamWriter) -> str | None:
    """Return the common name of the client's certificate, or `None`."""
    return common_name(writer.get_extra_info("peercert"))
