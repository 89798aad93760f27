"""Mail backend for SMTP servers."""

import asyncio
from email.errors import MessageError

from aiosmtplib import SMTP, SMTPException

from flexiapi.plugin import MailBackend, MailMessage, Permanent, Receipt
from flexiapi_mail_smtp.composition import Composed, Composer
from flexiapi_mail_smtp.config import SmtpConfig
from flexiapi_mail_smtp.connections import Connections
from flexiapi_mail_smtp.failures import explained

__all__ = ["SmtpConfig", "SmtpMail"]


class SmtpMail(MailBackend[SmtpConfig]):
    """Sends mails to an SMTP server over persistent connections."""

    Config = SmtpConfig

    async def start(self) -> None:
        """Read the key and the certificates; connections are opened when needed."""
        self._composer = await asyncio.to_thread(Composer, self.config)
        self._connections = await asyncio.to_thread(Connections, self.config)

    async def send(self, message: MailMessage) -> Receipt:
        """Send one mail."""
        try:
            composed = await asyncio.to_thread(self._composer.compose, message)
        except (MessageError, ValueError) as error:
            raise Permanent("the mail address or the subject is not valid") from error
        try:
            async with self._connections.one() as connection:
                await self._hand_over(connection, composed)
        except (SMTPException, OSError, ValueError) as error:
            raise explained(error, self.config.server) from error
        return Receipt(composed.id)

    async def _hand_over(self, connection: SMTP, mail: Composed) -> None:
        options = [] if mail.to.isascii() else ["SMTPUTF8"]
        await connection.sendmail(mail.sender, [mail.to], mail.content, mail_options=options)

    async def check(self) -> None:
        """Connect and sign in."""
        try:
            async with self._connections.one() as connection:
                await connection.noop()
        except (SMTPException, OSError) as error:
            raise explained(error, self.config.server) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()
