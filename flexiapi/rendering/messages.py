"""Every mail and SMS, with the variables of its templates. All have `app_name` and `signature` besides."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail: the templates `mail/NAME.subject.txt`, `mail/NAME.txt` and `mail/NAME.html`.

    `sip_address` is `user@domain`; `expires_in` is how long a code may be used, `None` for ever.
    """

    name: ClassVar[str]

    sip_address: str


@dataclass(frozen=True, slots=True)
class AccountConfirmationMail(Mail):
    """To a new account's address: the key that activates it, and a link to a page that takes it, if there is one."""

    name: ClassVar[str] = "account.confirmation"

    code: str = field(repr=False)
    expires_in: timedelta | None
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccountRecoveryMail(Mail):
    """To an account's address: what gives access again. Both URLs set a new password when a device uses them."""

    name: ClassVar[str] = "account.recovery"

    code: str = field(repr=False)
    provisioning_link: str = field(repr=False)
    provisioning_qrcode: str = field(repr=False)
    expires_in: timedelta | None


@dataclass(frozen=True, slots=True)
class EmailChangeMail(Mail):
    """To the new address: the PIN that confirms it."""

    name: ClassVar[str] = "email.change"

    code: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class PasswordSetMail(Mail):
    """To an account whose first password was set: how to sign in."""

    name: ClassVar[str] = "account.password.set"

    username: str
    domain: str
    proxy_registrar_address: str | None = None
    transport_protocol_text: str | None = None
    confirmed_text: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordChangedMail(Mail):
    """Notice: the password was changed."""

    name: ClassVar[str] = "notice.password"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class EmailChangedMail(Mail):
    """Notice, to the old address: the account has another one now."""

    name: ClassVar[str] = "notice.email"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneChangedMail(Mail):
    """Notice: the phone number was changed."""

    name: ClassVar[str] = "notice.phone"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Sms:
    """A text: the template `sms/NAME.txt`. `code` is a PIN, `expires_in` how long it may be used."""

    name: ClassVar[str]

    code: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class AccountConfirmationSms(Sms):
    """To a new account's number: the PIN that activates it."""

    name: ClassVar[str] = "account.confirmation"


@dataclass(frozen=True, slots=True)
class AccountRecoverySms(Sms):
    """To an account's number: the PIN that gives access again."""

    name: ClassVar[str] = "account.recovery"


@dataclass(frozen=True, slots=True)
class PhoneChangeSms(Sms):
    """To the new number: the PIN that confirms it."""

    name: ClassVar[str] = "phone.change"
