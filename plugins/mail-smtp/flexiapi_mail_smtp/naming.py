"""The SMTP client, and the name by which it introduces this host to servers (RFC 5321, 4.1.1.1)."""

import asyncio
import ipaddress
import re
import socket
from typing import Any, cast

from aiosmtplib import SMTP, SMTPResponse
from aiosmtplib.typing import Default

_FULL_NAME = re.compile(r"(?!localhost\b)[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)

# Without a resolver that answers, the name server is asked for much longer.
_NAME_SECONDS = 2.0

_NO_NAME = "localhost"


async def full_name() -> str | None:
    """Return the full name of this host; `None` if it has none, or if DNS does not tell it soon."""
    try:
        async with asyncio.timeout(_NAME_SECONDS):
            name = (await asyncio.to_thread(socket.getfqdn)).rstrip(".")
    except TimeoutError:
        return None
    return name if _FULL_NAME.fullmatch(name) and not name.endswith(".arpa") else None


class NamedClient(SMTP):
    """An SMTP client that has a name, or introduces itself by the address of its connection."""

    def __init__(self, name: str | None, **options: Any) -> None:
        super().__init__(local_hostname=name or _NO_NAME, **options)
        self._is_named = name is not None

    async def ehlo(
        self,
        *,
        hostname: str | None = None,
        timeout: float | Default | None = Default.token,  # noqa: ASYNC109 - as in the library
    ) -> SMTPResponse:
        """Introduce this host, and learn what the server can do."""
        return await super().ehlo(hostname=hostname or self._literal, timeout=timeout)

    async def helo(
        self,
        *,
        hostname: str | None = None,
        timeout: float | Default | None = Default.token,  # noqa: ASYNC109 - as in the library
    ) -> SMTPResponse:
        """Introduce this host to an old server."""
        return await super().helo(hostname=hostname or self._literal, timeout=timeout)

    def close(self) -> None:
        """End the connection at once. Over TLS the library would wait for the server's farewell."""
        transport = self.transport
        super().close()
        if transport is not None:
            # Those of uvloop are no asyncio.Transport.
            cast("asyncio.Transport", transport).abort()

    @property
    def _literal(self) -> str | None:
        return None if self._is_named else address_literal(self.get_transport_info("sockname")[0])


def address_literal(address: str) -> str:
    """Return an IP address as it stands in EHLO: `[192.0.2.1]`, or `[IPv6:2001:db8::1]`."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return f"[IPv6:{ip}]" if isinstance(ip, ipaddress.IPv6Address) else f"[{ip}]"
