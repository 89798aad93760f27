"""Composition of mails, with DKIM signatures."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid

import dkim

from flexiapi.plugin import MailMessage
from flexiapi_mail_smtp.config import SmtpConfig, address_parts

# Only 7-bit lines, which servers do not re-encode: a signature stays valid.
_POLICY = SMTP.clone(cte_type="7bit")

_SIGNED = [b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]


@dataclass(frozen=True, slots=True)
class Composed:
    """The bytes of a mail, its Message-ID, and the sender and receiver of its envelope."""

    id: str
    sender: str
    to: str = field(repr=False)
    needs_utf8: bool
    content: bytes = field(repr=False)


class Composer:
    """Composes mails, with a DKIM signature if the settings have a key."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._key = config.dkim_key_file.read_bytes() if config.dkim_key_file else None
        if bool(self._key) != bool(config.dkim_selector):
            raise ValueError("DKIM needs both dkim_selector and dkim_key_file. Set both, or none.")
        if self._key is not None:
            self._signature(b"From: a@example.org\r\n\r\n", [b"from"])

    def compose(self, message: MailMessage) -> Composed:
        """Compose one mail. Raises `ValueError` or `MessageError` if an address or the subject is not valid."""
        to = Address("", *address_parts(message.to))
        author = Address(self._chosen(message, "from_name"), *address_parts(self._chosen(message, "from_address")))
        reply_to = self._chosen(message, "reply_to")
        bounces_to = "@".join(address_parts(self._chosen(message, "bounce_address") or author.addr_spec))
        needs_utf8 = not f"{to.addr_spec}{author.addr_spec}{reply_to}{bounces_to}".isascii()
        mail = EmailMessage(policy=_POLICY.clone(utf8=needs_utf8))
        mail["From"] = author
        if reply_to:
            mail["Reply-To"] = Address("", *address_parts(reply_to))
        mail["To"] = to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = self._id(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        for attachment in getattr(message, "attachments", ()):
            main, _, sub = attachment.media_type.partition("/")
            mail.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
        # After the contents, which would take it away.
        if language := getattr(message, "language", None):
            mail["Content-Language"] = language
        if seconds := getattr(message, "time_to_live", None):
            mail["Expires"] = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds))
        content = mail.as_bytes()
        signed = self._signature(content, _SIGNED) + content
        return Composed(mail["Message-ID"], bounces_to, to.addr_spec, needs_utf8, signed)

    def _chosen(self, message: MailMessage, name: str) -> str:
        """Return a field of the message, or the setting of that name. Messages of earlier servers have fewer fields."""
        return getattr(message, name, None) or getattr(self._config, name) or ""

    def _id(self, message: MailMessage) -> str:
        """Return the Message-ID, which each try has, so that a mailbox keeps one; earlier servers give no key."""
        key, domain = getattr(message, "idempotency_key", None), self._config.signing_domain
        return f"<{key}@{domain}>" if key else make_msgid(domain=domain)

    def _signature(self, content: bytes, headers: list[bytes]) -> bytes:
        if self._key is None or self._config.dkim_selector is None:
            return b""
        selector, domain = self._config.dkim_selector.encode(), self._config.signing_domain.encode()
        try:
            signature: bytes = dkim.sign(content, selector, domain, self._key, include_headers=headers)
        except dkim.DKIMException:
            # The library's text quotes the key.
            raise ValueError("dkim_key_file holds no RSA private key in PEM form") from None
        return signature
