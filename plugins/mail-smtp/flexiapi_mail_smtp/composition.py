"""Composition of mails, with DKIM signatures."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid

import dkim

from flexiapi.plugin import MailMessage
from flexiapi_mail_smtp.config import SmtpConfig, address_parts

# Only 7-bit lines, which servers do not re-encode: a signature stays valid.
_POLICY = SMTP.clone(cte_type="7bit")

_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]


@dataclass(frozen=True, slots=True)
class Composed:
    """The bytes of a mail, its Message-ID, and the sender and receiver of its envelope."""

    id: str
    sender: str
    to: str = field(repr=False)
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
        mail = EmailMessage(policy=_POLICY if to.addr_spec.isascii() else _POLICY.clone(utf8=True))
        # Messages of earlier servers have no sender of their own.
        sender = getattr(message, "from_address", None) or self._config.from_address
        name = getattr(message, "from_name", None) or self._config.from_name
        mail["From"] = Address(name, *address_parts(sender))
        mail["To"] = to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = self._id(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        # After the contents, which would take it away.
        if language := getattr(message, "language", None):
            mail["Content-Language"] = language
        content = mail.as_bytes()
        return Composed(mail["Message-ID"], sender, to.addr_spec, self._signature(content, _SIGNED) + content)

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
