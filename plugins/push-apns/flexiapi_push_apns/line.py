"""Access to one APNs environment over a single connection, reopened when it is lost."""

import asyncio
import socket
import ssl

from aioapns.common import NotificationRequest
from aioapns.connection import AuthorizationHeaderProvider
from aioapns.exceptions import ConnectionClosed
from aiohappyeyeballs import start_connection
from h2.exceptions import ProtocolError
from pydantic import HttpUrl

from flexiapi.plugin import Retryable
from flexiapi_push_apns.answers import Answer
from flexiapi_push_apns.connection import ApnsConnection, NotTaken

_CONNECT_SECONDS = 5
# The wait of RFC 8305 before the next address is tried beside one that does not answer.
_NEXT_ADDRESS_SECONDS = 0.25
_SHUTDOWN = "Shutdown"


class Line:
    """Exchanges requests and answers; concurrent callers share the opening of a connection."""

    def __init__(
        self,
        url: HttpUrl,
        context: ssl.SSLContext,
        authorization: AuthorizationHeaderProvider | None,
        answer_seconds: float,
    ) -> None:
        self._host, self._port = url.host or "", url.port or 443
        self._context = context
        self._authorization = authorization
        self._answer_seconds = answer_seconds
        self._connection: ApnsConnection | None = None
        self._opening: asyncio.Task[ApnsConnection] | None = None
        self._open: set[ApnsConnection] = set()

    async def exchange(self, request: NotificationRequest) -> Answer:
        """Send once. Raises `Retryable`. Cancelling a caller does not break the connection."""
        try:
            try:
                return await self._exchange(request)
            except NotTaken:
                # So it is no second try, and a burst of them no sign of an outage.
                return await self._exchange(request)
        except ssl.SSLCertVerificationError as error:
            raise Retryable(
                f"the certificate of APNs is not trusted ({error.verify_message}): look at ca_file"
            ) from None
        except (ConnectionClosed, ProtocolError):
            raise Retryable("APNs ended the connection, does not answer, or does not speak HTTP/2") from None
        except OSError as error:
            raise Retryable(f"APNs cannot be reached ({type(error).__name__})") from None

    async def _exchange(self, request: NotificationRequest) -> Answer:
        connection = await self._connected()
        answer = await connection.exchange(request, self._answer_seconds)
        if answer.reason == _SHUTDOWN:
            connection.retire()
        return answer

    async def _connected(self) -> ApnsConnection:
        if self._connection is not None and not self._connection.is_over:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._opened())
            self._opening.add_done_callback(_retrieve)
        return await asyncio.shield(self._opening)

    async def _opened(self) -> ApnsConnection:
        loop = asyncio.get_running_loop()
        connection = ApnsConnection(self._host, self._authorization)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                # Not by the event loop's own: uvloop has none.
                sock = await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1)
                try:
                    await loop.create_connection(
                        lambda: connection, sock=sock, ssl=self._context, server_hostname=self._host
                    )
                except BaseException:
                    sock.close()
                    raise
                await connection.ready
        except BaseException:
            connection.abort()
            raise
        self._open.add(connection)
        connection.lost.add_done_callback(lambda _: self._open.discard(connection))
        self._connection = connection
        return connection

    async def close(self) -> None:
        """Close the connections and the requests under way."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        for connection in list(self._open):
            connection.abort()
            await connection.lost


def _retrieve(opening: asyncio.Task[ApnsConnection]) -> None:
    """Look at how an opening ended, which asyncio would report if all callers have left."""
    if not opening.cancelled():
        opening.exception()
