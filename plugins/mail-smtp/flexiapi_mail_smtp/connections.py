"""Pool of SMTP connections."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtplib import (
    SMTP,
    SMTPConnectResponseError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPTimeoutError,
)

from flexiapi_mail_smtp.answers import Answer
from flexiapi_mail_smtp.config import SmtpConfig
from flexiapi_mail_smtp.opening import Connection, Opening

_CLOSING = 421

# A server that takes fewer connections than `connections` is asked for more after this time.
_CEILING_SECONDS = 60.0


class Connections:
    """A pool of up to `connections` connections; one that failed or was cancelled is not used again.

    An idle one is used again after it has answered, and closed after `idle_seconds`. If the server turns further
    connections away, mails wait for those that it has let in.
    """

    def __init__(self, config: SmtpConfig, opening: Opening) -> None:
        self._config = config
        self._opening = opening
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(config.connections)
        # Connections that a mail uses or opens, and mails that wait for one of these.
        self._taken = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._ceiling, self._ceiling_until = config.connections, 0.0
        self._sweeping: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def most(self) -> int:
        """The connections that the server is known to take, or is asked for."""
        return self._ceiling if time.monotonic() < self._ceiling_until else self._config.connections

    @asynccontextmanager
    async def one(self) -> AsyncIterator[SMTP]:
        """Lend a connection to send one mail."""
        async with self._places:
            connection = await self._ready()
            try:
                yield connection.client
            except BaseException as error:
                self._take_back(connection, is_good=_is_answer(error))
                raise
            self._take_back(connection, is_good=True)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[SMTP]:
        """Lend a new connection, which is closed afterwards."""
        async with self._places:
            connection = await self._opening.opened()
            try:
                yield connection.client
            finally:
                await connection.leave(self._config.probe_seconds)

    def _take_back(self, connection: Connection, *, is_good: bool) -> None:
        if not is_good or not connection.is_open or self._is_closed:
            connection.drop()
            self._one_less()
            return
        connection.used()
        if not self._wake(connection):
            self._taken -= 1
            self._idle.append(connection)
            self._sweep_later()

    def _one_less(self) -> None:
        """Let a waiting mail open a connection in place of a lost one, and all of them if none is left to wait for."""
        self._taken -= 1
        while self._wake(None) and not self._taken:
            pass

    def _wake(self, connection: Connection | None) -> bool:
        """Give the connection, or nothing, to the mail that has waited longest."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(connection)
                return True
        return False

    async def _ready(self) -> Connection:
        if time.monotonic() >= self._ceiling_until:
            self._ceiling = self._config.connections
        while True:
            connection = await self._reused()
            if connection is None and self._taken >= self._ceiling:
                connection = await self._returned()
            if connection is not None:
                return connection
            try:
                return await self._opened()
            except SMTPConnectResponseError as error:
                others = self._taken + len(self._idle)
                if error.code != _CLOSING or not others:
                    raise
                # The server turns it away, but serves others of ours: wait for one of them.
                self._ceiling = min(self._ceiling, others)
                self._ceiling_until = time.monotonic() + _CEILING_SECONDS

    async def _reused(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.idle_seconds > self._config.idle_seconds:
                connection.drop()
                self._drop_idle()
                return None
            self._taken += 1
            if await self._lives(connection):
                return connection
        return None

    async def _opened(self) -> Connection:
        self._taken += 1
        try:
            return await self._opening.opened()
        except SMTPConnectResponseError as error:
            self._taken -= 1
            if not self._taken:
                self._turn_away(error)
            raise
        except BaseException:
            self._one_less()
            raise

    def _turn_away(self, error: SMTPConnectResponseError) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(SMTPConnectResponseError(error.code, error.message))

    async def _lives(self, connection: Connection) -> bool:
        try:
            await connection.client.noop(timeout=self._config.probe_seconds)
        except BaseException as error:
            connection.drop()
            self._one_less()
            if isinstance(error, SMTPTimeoutError):
                # The others have been idle for longer: to wait for each would cost the mail its time.
                self._drop_idle()
            if isinstance(error, SMTPException | OSError):
                return False
            raise
        return True

    async def _returned(self) -> Connection | None:
        waiting: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and not waiting.exception():
                self._pass_on(waiting.result())
            raise

    def _pass_on(self, connection: Connection | None) -> None:
        if connection is None:
            self._wake(None)
        else:
            self._take_back(connection, is_good=True)

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().drop()

    def _sweep_later(self) -> None:
        if self._sweeping is None and self._idle:
            left = self._config.idle_seconds - self._idle[0].idle_seconds
            self._sweeping = asyncio.get_running_loop().call_later(max(0.0, left), self._sweep)

    def _sweep(self) -> None:
        """Close the connections that have been idle for long; no mail waits for that."""
        self._sweeping = None
        while self._idle and self._idle[0].idle_seconds >= self._config.idle_seconds:
            leaving = asyncio.create_task(self._idle.pop(0).leave(self._config.probe_seconds))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        self._sweep_later()

    async def close(self) -> None:
        """Close the idle connections."""
        self._is_closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.leave(self._config.probe_seconds) for connection in idle), *self._leaving)


def _is_answer(error: BaseException) -> bool:
    """Return True if the server gave a regular answer, so that the connection can be used again."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(_is_answer(recipient) for recipient in error.recipients)
    return isinstance(error, SMTPResponseException) and not Answer.of(error).ends_connection
