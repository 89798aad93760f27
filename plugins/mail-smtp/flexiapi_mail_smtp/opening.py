"""Opening of SMTP connections: TLS, name and sign-in."""

import asyncio
import socket
import ssl
import time
from contextlib import suppress

from aiohappyeyeballs import start_connection
from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException

from flexiapi_mail_smtp.config import SmtpConfig
from flexiapi_mail_smtp.naming import NamedClient
from flexiapi_mail_smtp.tokens import SignInTokens

_REFUSED = 500

# RFC 8305: an address that does not answer soon does not keep the next from being tried.
_NEXT_ADDRESS_SECONDS = 0.25


class Connection:
    """An open connection, and the time since which it is idle."""

    def __init__(self, client: SMTP) -> None:
        self.client = client
        self._used_at = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """The time since its last use."""
        return time.monotonic() - self._used_at

    @property
    def is_open(self) -> bool:
        """False if either side has ended it."""
        return self.client.is_connected

    def used(self) -> None:
        """Note that it was used until now."""
        self._used_at = time.monotonic()

    def drop(self) -> None:
        """End it at once and without a word."""
        self.client.close()

    async def leave(self, seconds: float) -> None:
        """Take leave of the server, for at most so many seconds, and end it."""
        try:
            with suppress(SMTPException, OSError):
                await self.client.quit(timeout=seconds)
        finally:
            self.drop()


class Opening:
    """Opens connections to the server of the settings. The constructor reads the certificates."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._context = _context(config)
        self._name: str | None = config.hello_name
        self._tokens: SignInTokens | None = None

    def equip(self, name: str | None, tokens: SignInTokens | None) -> None:
        """Introduce this host by a name, without one by its address, and sign in by tokens, if there are any."""
        self._name, self._tokens = name, tokens

    async def opened(self) -> Connection:
        """Open a connection and sign in; a token that was good before is dropped once if it is refused.

        Raises an exception of the library, or a `DeliveryError` if there is no token.
        """
        tokens = self._tokens
        if tokens is None:
            return await self._connected(None)
        token = await tokens.current()
        try:
            connection = await self._connected(token)
        except SMTPAuthenticationError as error:
            if error.code < _REFUSED or not tokens.dropped(token):
                raise
            token = await tokens.current()
            connection = await self._connected(token)
        tokens.accepted(token)
        return connection

    async def _connected(self, token: str | None) -> Connection:
        config = self._config

        async def given() -> str:
            return token or ""

        sock = await self._socket()
        client = NamedClient(
            self._name,
            hostname=config.host,
            sock=sock,
            username=config.username,
            password=config.password.get_secret_value() if config.password else None,
            oauth_token_generator=given if token else None,
            use_tls=config.encryption == "tls",
            start_tls=config.encryption == "starttls",
            tls_context=self._context,
            timeout=config.timeout_seconds,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            sock.close()
            raise
        return Connection(client)

    async def _socket(self) -> socket.socket:
        """Connect to the address of the server that answers first."""
        config = self._config
        async with asyncio.timeout(config.timeout_seconds):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(config.host, config.tcp_port, type=socket.SOCK_STREAM)
            return await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1)


def _context(config: SmtpConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.verify_peer:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
