"""Tokens that the API shows."""

from dataclasses import dataclass, field
from datetime import datetime

from flexiapi.model.devices import PushAddress


@dataclass(frozen=True, slots=True)
class AuthToken:
    """A token that a signed-in device attaches to its account, for another device to sign in with."""

    token: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AttachedToken:
    """A token of an account as its owner sees it afterwards; `kind` is that of its events, such as `auth_token`."""

    kind: str
    created_at: datetime
    expires_at: datetime
    is_used: bool


@dataclass(frozen=True, slots=True)
class SpentToken:
    """A creation token that was consumed for an account: its end, and the device that it was pushed to, if it was."""

    expires_at: datetime
    address: PushAddress | None


@dataclass(frozen=True, slots=True)
class AskingBrowser:
    """A browser that shows an auth token, to be signed in once another device has attached it.

    Attributes:
        secret_hash: SHA-256 of the secret that only this browser has. Without it the token signs nothing in.
        number: what its page shows, two digits.
        choices: the numbers that the other device chooses from; `number` is one of them.
    """

    secret_hash: bytes = field(repr=False)
    number: int
    choices: tuple[int, ...]
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class QrRequest:
    """An auth token that a browser shows: until when, and the account and its epoch once a device has attached it."""

    browser: AskingBrowser
    expires_at: datetime
    account_id: int | None = None
    epoch: int | None = None

    @property
    def is_attached(self) -> bool:
        """True if another device has let the browser in."""
        return self.account_id is not None
