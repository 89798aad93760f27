"""Answers of SMTP servers, and whether they are about the recipient, about this client or about the server.

An enhanced status code (RFC 3463, and the register of IANA) decides; without one, the command that was answered and the
code. An answer that may be about either counts as about this client: then another backend is tried.
"""

import re
from dataclasses import dataclass
from typing import Literal, Self

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

Command = Literal["CONNECT", "AUTH", "MAIL", "RCPT", "DATA"]

_COMMANDS: dict[type[SMTPResponseException], Command] = {
    SMTPAuthenticationError: "AUTH",
    SMTPSenderRefused: "MAIL",
    SMTPRecipientRefused: "RCPT",
    SMTPDataError: "DATA",
}

_STATUS = re.compile(r"[245]\.(\d{1,3}\.\d{1,3})\b|[^\n]*\(#[245]\.(\d{1,3}\.\d{1,3})\)")

_PASSING = 400
_PERMANENT = 500
_CLOSING = 421
_SIGN_IN_WANTED = 530
_MAILBOX_STORAGE = 552

# Addresses: 1.7 and 1.8 are the sender's, and 1.0 is what Postfix says of it.
_ADDRESS = frozenset({"1.1", "1.2", "1.3", "1.4", "1.6", "1.10"})

# At DATA, Exchange says 2.0, 2.2 and 2.252 of the mailbox that sends.
_MAILBOX = frozenset({"2.0", "2.1", "2.2", "2.3", "2.4", "2.121", "2.122"})
_MAILBOX_AT_DATA = frozenset({"2.1"})

# Unknown mailboxes at Exchange Online (4.1), and domains without a server.
_ROUTE = frozenset({"4.1", "4.4", "4.310"})

# A domain whose name servers do not answer: an address can cause it.
_ROUTE_FOR_NOW = frozenset({"4.3", "4.4"})

# Lists and mailboxes that take mails of certain senders only, or have a new owner.
_POLICY = frozenset({"7.2", "7.17", "7.18", "7.124", "7.129"})
_GREYLISTS = frozenset({"7.0", "7.1"})
_GREYLISTS_AT_DATA = frozenset({"7.1"})

_FULL = frozenset({"2.2", "2.121", "2.122"})

# Many servers write 550 without a status for all that they refuse. Only the words tell then.
_ABOUT_CLIENT = re.compile(
    r"relay|authent|log.?in|sender|client|policy|spam|reputation|(?:block|black|deny).?list|listed|blocked|prohibit"
    r"|not permitted|\b(?:helo|spf|dkim|dmarc)\b",
    re.IGNORECASE,
)

_QUOTED_ADDRESS = re.compile(r"\S+@\S+")

_ADVICE = {
    "5.2": "if EHLO is meant, look at hello_name",
    "2.0": "look at the mailbox of username: its limits, and whether it may send as from_address",
    "2.2": "the mailbox of username may be full",
    "2.252": "the user may not send as from_address or bounce_address",
    "7.1": "look at username, and whether the server relays for this host",
    "7.3": "look at username, and whether the application may send from its mailbox",
    "7.8": "look at username and password or token",
    "7.9": "the provider wants a password for applications, or token_url",
    "7.14": "the provider wants a password for applications, or token_url",
    "7.26": "the domain of from_address needs SPF or DKIM",
    "7.30": "the provider takes no passwords any more: set token_url",
    "7.54": "the server does not relay for this host: look at username",
    "7.57": "the server wants a sign-in: set username",
    "7.60": "the user may not send as from_address or bounce_address",
    "7.139": "SMTP AUTH is disabled for the mailbox or the whole tenant: enable it there",
}
_ADVICE_BY_CODE = {
    504: "if EHLO is meant, look at hello_name",
    530: "the server wants a sign-in: set username",
    538: "the server wants encryption: look at encryption",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a command. `status` has subject and detail of the enhanced status code, such as `1.1`."""

    stage: Command
    code: int
    status: str | None
    names_client: bool = False

    @classmethod
    def of(cls, error: SMTPResponseException) -> Self:
        """Return the answer in an exception."""
        stage: Command = _COMMANDS.get(type(error), "CONNECT")
        found = _STATUS.match(error.message)
        status = (found[1] or found[2]) if found else None
        words = _QUOTED_ADDRESS.sub("", error.message)
        return cls(stage, error.code, status, names_client=bool(_ABOUT_CLIENT.search(words)))

    def __str__(self) -> str:
        return f"{self.code} {self.code // 100}.{self.status}" if self.status else f"{self.code}"

    @property
    def is_passing(self) -> bool:
        """True if a later try may succeed."""
        return self.code < _PERMANENT

    @property
    def is_about_recipient(self) -> bool:
        """True if a mail to another address would not get it."""
        if self.stage not in ("RCPT", "DATA") or self.code == _CLOSING:
            return False
        if self.status is None:
            return self._is_about_recipient_by_code
        return self.status in self._statuses_of_recipient or (self.is_passing and self.status.startswith("2."))

    @property
    def _statuses_of_recipient(self) -> frozenset[str]:
        if self.stage == "DATA":
            return _ADDRESS | (_GREYLISTS_AT_DATA if self.is_passing else _MAILBOX_AT_DATA)
        return _ADDRESS | (_GREYLISTS | _ROUTE_FOR_NOW if self.is_passing else _MAILBOX | _ROUTE | _POLICY)

    @property
    def _is_about_recipient_by_code(self) -> bool:
        if self.stage == "DATA":
            return self.code == 450  # noqa: PLR2004 - mailbox unavailable
        if self.code == 550:  # noqa: PLR2004 - mailbox unavailable, or anything else
            return not self.names_client
        return self.code in (450, 451, 452, _MAILBOX_STORAGE, 556)

    @property
    def is_about_full_mailbox(self) -> bool:
        """True if the mailbox has no room, or gets too many mails."""
        return self.status in _FULL or (self.status is None and self.code == _MAILBOX_STORAGE)

    @property
    def is_about_rate(self) -> bool:
        """True if the server takes no more mails of this client for now."""
        is_of_mail = self.stage in ("MAIL", "RCPT", "DATA")
        return self.is_passing and is_of_mail and self.status is not None and self.status.startswith("7.")

    @property
    def is_about_sign_in(self) -> bool:
        """True if the server wants a sign-in first."""
        return self.code == _SIGN_IN_WANTED or self.status == "7.57"

    @property
    def ends_connection(self) -> bool:
        """True if the connection is of no further use: it ends, has lost its sign-in, or has had its share.

        The library reports garbage with codes below 400.
        """
        return self.code < _PASSING or self.code in (_CLOSING, _SIGN_IN_WANTED) or self.status in ("5.3", "7.57")

    @property
    def advice(self) -> str | None:
        """The setting to look at, if the answer tells."""
        return _ADVICE.get(self.status or "") or _ADVICE_BY_CODE.get(self.code)
