"""Mails and SMS with the variables of their templates. All also have `app_name` and `signature`."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, rendered from the templates `mail/NAME.subject.txt`, `mail/NAME.txt` and `mail/NAME.html`.

    `sip_address` is `user@domain`; `expires_in` is the life of a code, `None` if it does not expire.
    """

    name: ClassVar[str]

    sip_address: str


@dataclass(frozen=True, slots=True)
class AccountConfirmationMail(Mail):
    """Mail to the address of a new account: the key that activates it, and a link to a page that takes it, if any."""

    name: ClassVar[str] = "account.confirmation"

    code: str = field(repr=False)
    expires_in: timedelta | None
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccountRecoveryMail(Mail):
    """Mail with the recovery code of an account, and the page `setup_link` that shows how to set up a device.

    The app sets a new password when it opens `provisioning_link`, which is also in `provisioning_qrcode`.
    """

    name: ClassVar[str] = "account.recovery"

    code: str = field(repr=False)
    provisioning_link: str = field(repr=False)
    provisioning_qrcode: str = field(repr=False)
    setup_link: str = field(repr=False)
    expires_in: timedelta | None


@dataclass(frozen=True, slots=True)
class ProvisioningMail(Mail):
    """Mail with the page `setup_link` that shows how to set up a device, and a QR code. The password stays."""

    name: ClassVar[str] = "account.provisioning"

    provisioning_qrcode: str = field(repr=False)
    setup_link: str = field(repr=False)
    expires_in: timedelta | None


@dataclass(frozen=True, slots=True)
class InvitationMail(Mail):
    """Mail to a person without an account: the page `link` that takes an invitation. `sip_address` is the domain."""

    name: ClassVar[str] = "account.invitation"

    link: str = field(repr=False)
    code: str = field(repr=False)
    expires_in: timedelta | None


@dataclass(frozen=True, slots=True)
class EmailChangeMail(Mail):
    """Mail to the new address: the PIN that confirms it, and a link to the page that takes it, if there is one."""

    name: ClassVar[str] = "email.change"

    code: str = field(repr=False)
    expires_in: timedelta
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PasswordSetMail(Mail):
    """Mail to an account whose first password was set: the SIP settings to sign in with."""

    name: ClassVar[str] = "account.password.set"

    username: str
    domain: str
    proxy_registrar_address: str | None = None
    transport_protocol_text: str | None = None
    confirmed_text: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordResetMail(Mail):
    """Mail with the link to a page that sets a new password, and beside it a code, which lives for `code_expires_in`.

    In a mail that an administrator sends, `code` is empty.
    """

    name: ClassVar[str] = "account.password.reset"

    link: str = field(repr=False)
    expires_in: timedelta
    code: str = field(default="", repr=False)
    code_expires_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PasswordChangedMail(Mail):
    """Notice: the password was changed."""

    name: ClassVar[str] = "notice.password"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class EmailChangedMail(Mail):
    """Notice to the old address: the account has another one now."""

    name: ClassVar[str] = "notice.email"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneChangedMail(Mail):
    """Notice: the phone number was changed."""

    name: ClassVar[str] = "notice.phone"

    changed_at: datetime


@dataclass(frozen=True, slots=True)
class AccountRecoveredMail(Mail):
    """Notice: the account was recovered by a code."""

    name: ClassVar[str] = "notice.recovery"

    recovered_at: datetime


@dataclass(frozen=True, slots=True)
class NewSignInMail(Mail):
    """Notice: the account was signed in to the panel from an unknown network or browser. `link` lists its sessions."""

    name: ClassVar[str] = "notice.sign_in"

    signed_in_at: datetime
    ip: str
    link: str
    browser: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyMadeMail(Mail):
    """Notice: an API key was made in the panel, in place of the one before."""

    name: ClassVar[str] = "notice.api_key"

    made_at: datetime


@dataclass(frozen=True, slots=True)
class NamedKeyMadeMail(Mail):
    """Notice: an administrator made a named API key, which a new password does not end."""

    name: ClassVar[str] = "notice.named_key"

    made_at: datetime
    key_name: str
    scopes: str


@dataclass(frozen=True, slots=True)
class SessionsEndedMail(Mail):
    """Notice: sessions of the panel were ended by its list of sessions."""

    name: ClassVar[str] = "notice.sessions"

    ended_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class AccountDeletedMail(Mail):
    """Notice: the account was deleted in its own name."""

    name: ClassVar[str] = "notice.deleted"

    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class VoicemailMail(Mail):
    """Notice: a caller left a voicemail. `caller_address` has no `sip:`; `link` lists voicemails."""

    name: ClassVar[str] = "notice.voicemail"

    caller_address: str | None
    left_at: datetime
    link: str


@dataclass(frozen=True, slots=True)
class OperatorMail(Mail):
    """Notice to the operators: what needs them on which host. `sip_address` is the SIP domain."""

    name: ClassVar[str] = "notice.operator"

    host: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Sms:
    """An SMS, rendered from the template `sms/NAME.txt`. `code` is a PIN, `expires_in` its life.

    `domain` is that of the account, by default the SIP domain. `link` leads to a page that does the same as the code;
    it is left out where it would make a second SMS.
    """

    name: ClassVar[str]

    code: str = field(repr=False)
    expires_in: timedelta
    domain: str = ""
    link: str | None = field(default=None, repr=False)

    def spoken(self) -> Self:
        """Return it with the digits of the code apart, `4, 7, 1, 1`, so that they are read one by one, and no link."""
        return replace(self, code=", ".join(self.code), link=None)


@dataclass(frozen=True, slots=True)
class AccountConfirmationSms(Sms):
    """SMS to the number of a new account: the PIN that activates it."""

    name: ClassVar[str] = "account.confirmation"


@dataclass(frozen=True, slots=True)
class AccountRecoverySms(Sms):
    """SMS to the number of an account: the recovery PIN."""

    name: ClassVar[str] = "account.recovery"


@dataclass(frozen=True, slots=True)
class PhoneChangeSms(Sms):
    """SMS to the new number: the PIN that confirms it."""

    name: ClassVar[str] = "phone.change"
