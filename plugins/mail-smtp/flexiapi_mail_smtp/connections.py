"""Pool of SMTP connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from flexiapi_mail_smtp.config import SmtpConfig


class Connections:
    """A pool of up to `connections` connections; one that failed or was cancelled is not used again."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._context = _context(config)
        self._idle: list[SMTP] = []
        self._places = asyncio.Semaphore(config.connections)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[SMTP]:
        """Lend a connection to send one mail."""
        async with self._places:
            connection = await self._ready()
            try:
                yield connection
            except BaseException as error:
                if _is_answer(error) and connection.is_connected:
                    self._idle.append(connection)
                else:
                    _drop(connection)
                raise
            self._idle.append(connection)

    async def _ready(self) -> SMTP:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.noop()
            except (SMTPException, OSError):
                _drop(connection)
            except BaseException:
                _drop(connection)
                raise
            else:
                return connection
        return await self._opened()

    async def _opened(self) -> SMTP:
        config = self._config
        connection = SMTP(
            hostname=config.host,
            port=config.tcp_port,
            username=config.username,
            password=config.password.get_secret_value() if config.password else None,
            local_hostname=config.hello_name,
            use_tls=config.encryption == "tls",
            start_tls=config.encryption == "starttls",
            tls_context=self._context,
            timeout=config.timeout_seconds,
        )
        try:
            await connection.connect()
        except BaseException:
            _drop(connection)
            raise
        return connection

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            connection = self._idle.pop()
            with suppress(SMTPException, OSError):
                await connection.quit()
            _drop(connection)


def _is_answer(error: BaseException) -> bool:
    """Return True if the server gave a regular answer, so that the connection can be used again."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(_is_answer(recipient) for recipient in error.recipients)
    # 421 announces the end of the connection; the library reports garbage with codes below 400.
    return isinstance(error, SMTPResponseException) and error.code >= 400 and error.code != 421  # noqa: PLR2004 - SMTP's


def _drop(connection: SMTP) -> None:
    transport = connection.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    connection.close()


def _context(config: SmtpConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.verify_peer:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
