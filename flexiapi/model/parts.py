"""Parts of an account: passwords, codes, keys, types, actions. Times are aware `datetime` in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from flexiapi.crypto import digest
from flexiapi.crypto.keys import Secret, opened, readable

Channel = Literal["email", "phone"]
"""An address of an account that a code proves."""

CodeChannel = Literal["sms", "voice"]
"""The way of a code to a phone number: a text, or a call that reads it to the person."""

TokenMaker = Literal["admin", "mail"]
"""The maker of a provisioning token, if not the account itself: an administrator, or a mail that one had sent."""


class Named(Protocol):
    """The names of an account, of which its identifiers are made."""

    @property
    def username(self) -> str:
        """User name."""

    @property
    def domain(self) -> str:
        """SIP domain."""

    @property
    def phone(self) -> str | None:
        """Phone number."""

    @property
    def email(self) -> str | None:
        """E-mail address."""

    @property
    def claimed_phone(self) -> str | None:
        """Phone number that is not proven."""

    @property
    def claimed_email(self) -> str | None:
        """E-mail address if it is not proven."""

    @property
    def unconfirmed(self) -> bool:
        """True if the public created it and it has proven nothing yet."""


class Algorithm(StrEnum):
    """The hash of a password. `CLRTXT` comes only from imports; it serves both hashes."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"
    CLRTXT = "CLRTXT"


class DtmfProtocol(StrEnum):
    """The way in which an account sends DTMF digits."""

    SIPINFO = "sipinfo"
    RFC2833 = "rfc2833"
    SIPMESSAGE = "sipmessage"


@dataclass(frozen=True, slots=True)
class Password:
    """A stored credential."""

    algorithm: Algorithm
    stored: Secret = field(repr=False)

    @property
    def ha1(self) -> str:
        """H(username:realm:password) in lower-case hex, or the clear text for `CLRTXT`. Raises `SealBroken`."""
        return opened(self.stored)


def hashes(passwords: Sequence[Password], username: str, realm: str) -> tuple[Password, ...]:
    """One hash per algorithm, in lower case: those that are stored, and of a clear text those that are not.

    A password whose seal does not open is left out.
    """
    texts = {str(password.algorithm): text for password in passwords if (text := readable(password.stored)) is not None}
    clear = texts.pop(str(Algorithm.CLRTXT), None)
    known = {name: text.lower() for name, text in texts.items()}
    if clear is not None:
        known = {name: digest.ha1(name, username, realm, clear) for name in digest.ALGORITHMS} | known
    return tuple(Password(Algorithm(name), ha1) for name, ha1 in known.items())


@dataclass(frozen=True, slots=True)
class AccountType:
    """A kind of account, such as `phone` or `device_audio_intercom`. `space` is the stored name of its space."""

    id: int
    key: str
    space: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A reaction of the account's device to a DTMF code."""

    id: int
    key: str
    code: str


@dataclass(frozen=True, slots=True)
class DictionaryEntry:
    """A value that programs of the operator keep with an account, under a key that is unique there."""

    key: str
    value: str


MOST_ENTRIES = 100
"""Entries that a dictionary has at most."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A pending activation or recovery secret: a 13-character key by mail (`key`) or a PIN by SMS (`pin_hash`).

    A recovery PIN may stand beside a mailed key. It ends at `pin_expires_at` then, and otherwise, like a key, at
    `expires_at`.

    `networks` are those that asked for the PIN and the ones before it, IP addresses or IPv6 /64, the first four
    at most. None is known of PINs of older servers.
    """

    key: Secret | None = field(default=None, repr=False)
    pin_hash: bytes | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    attempts: int = 0
    networks: tuple[str, ...] = ()
    pin_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change of e-mail or phone that waits for the PIN sent to the new address (`target`)."""

    target: str = field(repr=False)
    pin_hash: bytes = field(repr=False)
    requested_at: datetime
    expires_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message with a code that could not be sent: its kind, the backend that was tried last, and what that said."""

    kind: str
    backend: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProvisioningFetch:
    """The use of a provisioning link: when it was fetched, by which program and IP address, and when it was made."""

    fetched_at: datetime
    made_at: datetime | None = None
    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ActivationExpiration:
    """The end of the time in which the confirmation key of an admin-created account can be used."""

    id: int
    expires: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """A SIP account on another server that comes with an account of ours."""

    username: str
    domain: str
    group: str
    stored: Secret = field(repr=False)
    algorithm: Algorithm

    @property
    def ha1(self) -> str:
        """H(username:realm:password) in lower-case hex. Raises `SealBroken`."""
        return opened(self.stored)


class BridgeProtocol(StrEnum):
    """The transport to the SIP server of a bridged account."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"


@dataclass(frozen=True, slots=True)
class BridgedAccount:
    """A SIP account of an account of ours elsewhere, which Flexisip's bridge (B2BUA) registers and calls through.

    Attributes:
        number: names it to the bridge. Another user name or domain gets another number, since the bridge removes what
            has no row any more under its number.
        stored: MD5 of username:realm:password, with the domain if there is no realm.
    """

    number: int
    username: str
    domain: str
    protocol: BridgeProtocol
    stored: Secret = field(repr=False)
    created_at: datetime
    updated_at: datetime
    realm: str | None = None
    registrar: str | None = None
    outbound_proxy: str | None = None


@dataclass(frozen=True, slots=True)
class PooledAccount:
    """An external account in the pool, without its hash. It may be used although its account was removed."""

    number: int
    username: str
    domain: str
    group: str
    algorithm: Algorithm
    is_used: bool
    account_id: int | None = None

    @property
    def address(self) -> str:
        """`user@domain` on the other server."""
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True, slots=True)
class StoredApiKey:
    """An API key as it is stored: by SHA-256. Uses are written late, so `last_used_at` may be some seconds old."""

    hash: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Challenged:
    """As much of an account as a DIGEST challenge needs; `algorithms` are those of its stored passwords."""

    id: int
    domain: str
    sign_in_epoch: int
    algorithms: tuple[str, ...]


Types = Mapping[int, Sequence[AccountType]]
"""The types of accounts, by id of the account."""
