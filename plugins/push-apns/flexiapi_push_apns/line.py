"""Access to one APNs environment over a single connection, reopened when it is lost."""

import asyncio
import ssl

from aioapns.common import NotificationRequest, NotificationResult
from aioapns.connection import AuthorizationHeaderProvider
from aioapns.exceptions import ConnectionClosed
from h2.exceptions import ProtocolError
from pydantic import HttpUrl

from flexiapi.plugin import Retryable
from flexiapi_push_apns.connection import ApnsConnection

_CONNECT_SECONDS = 5


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
        self._exchanges: set[asyncio.Task[NotificationResult | Retryable]] = set()

    async def exchange(self, request: NotificationRequest) -> NotificationResult:
        """Send once. Raises `Retryable`. Cancelling a caller does not break the connection."""
        exchange = asyncio.create_task(self._exchange(request))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        outcome = await asyncio.shield(exchange)
        if isinstance(outcome, Retryable):
            raise outcome
        return outcome

    async def _exchange(self, request: NotificationRequest) -> NotificationResult | Retryable:
        """Return failures instead of raising them, because a cancelled caller would not retrieve them."""
        try:
            connection = await self._connected()
            return await connection.exchange(request, self._answer_seconds)
        except ssl.SSLCertVerificationError as error:
            return Retryable(f"the certificate of APNs is not trusted ({error.verify_message}): look at ca_file")
        except (ConnectionClosed, ProtocolError):
            return Retryable("APNs ended the connection, or does not speak HTTP/2")
        except OSError as error:
            return Retryable(f"APNs cannot be reached ({type(error).__name__})")

    async def _connected(self) -> ApnsConnection:
        if self._connection is not None and not self._connection.is_over:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
        return await self._opening

    async def _open(self) -> ApnsConnection:
        loop = asyncio.get_running_loop()
        connection = ApnsConnection(self._host, self._authorization)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(lambda: connection, self._host, self._port, ssl=self._context)
                await connection.ready
        except BaseException:
            connection.abort()
            raise
        self._connection = connection
        return connection

    async def close(self) -> None:
        """Close the connection and the requests under way."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.abort()
            await self._connection.lost
        await asyncio.gather(*self._exchanges, return_exceptions=True)
