"""Tokens that the API shows."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuthToken:
    """A token that a signed-in device attaches to its account, for another device to sign in with."""

    token: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AttachedToken:
    """An auth token of an account as its owner sees it afterwards: its times, and whether it is used."""

    created_at: datetime
    expires_at: datetime
    is_used: bool
