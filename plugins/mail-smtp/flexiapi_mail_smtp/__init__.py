"""Mail backend for SMTP servers."""

import asyncio
from collections.abc import Sequence
from email.errors import MessageError

from aiosmtplib import SMTP, SMTPException

from flexiapi.plugin import MailBackend, MailMessage, Permanent, Receipt
from flexiapi_mail_smtp.composition import Composed, Composer
from flexiapi_mail_smtp.config import SmtpConfig
from flexiapi_mail_smtp.connections import Connections
from flexiapi_mail_smtp.failures import explained
from flexiapi_mail_smtp.naming import full_name
from flexiapi_mail_smtp.opening import Opening
from flexiapi_mail_smtp.tokens import SignInTokens

__all__ = ["SmtpConfig", "SmtpMail"]


class SmtpMail(MailBackend[SmtpConfig]):
    """Sends mails to an SMTP server over persistent connections."""

    Config = SmtpConfig
    takes_attachments = True

    @property
    def concurrency(self) -> int:
        """As many mails as connections, or as the server takes by now."""
        return self._connections.most

    def warnings(self) -> Sequence[str]:
        """Return what is probably a mistake: a password in clear text, or half a name in EHLO."""
        return tuple(self.config.doubts)

    async def start(self) -> None:
        """Read the key and the certificates; connections are opened, and tokens asked for, when needed."""
        self._composer = await asyncio.to_thread(Composer, self.config)
        opening = await asyncio.to_thread(Opening, self.config)
        self._tokens = await SignInTokens.start(self.config)
        opening.equip(self.config.hello_name or await full_name(), self._tokens)
        self._connections = Connections(self.config, opening)

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
            raise explained(error, self.config) from error
        return Receipt(composed.id)

    async def _hand_over(self, connection: SMTP, mail: Composed) -> None:
        options = ["SMTPUTF8"] if mail.needs_utf8 else []
        await connection.sendmail(mail.sender, [mail.to], mail.content, mail_options=options)

    async def check(self) -> None:
        """Connect and sign in."""
        try:
            async with self._connections.fresh() as connection:
                await connection.noop()
        except (SMTPException, OSError) as error:
            raise explained(error, self.config) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()
        if self._tokens is not None:
            await self._tokens.close()
