"""Named API keys: what they open, and for how long."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

KEY_PREFIX = "fxk_"
"""The beginning of named keys: the key of an account has letters and digits alone."""


class KeyScope(StrEnum):
    """The rights that a named API key can have."""

    FLEXISIP = "flexisip"
    STATISTICS_WRITE = "statistics:write"
    PUSH = "push"
    ACCOUNTS_READ = "accounts:read"

    @property
    def description(self) -> str:
        """The rights of a key with the scope, for people."""
        return _DESCRIPTIONS[self]

    @property
    def opens(self) -> Collection["KeyScope"]:
        """The scope itself and those that it includes."""
        return (self, *_INCLUDED.get(self, ()))


_DESCRIPTIONS = {
    KeyScope.FLEXISIP: "All calls of a Flexisip server. Includes statistics:write and push.",
    KeyScope.STATISTICS_WRITE: "Report calls and messages to the event log.",
    KeyScope.PUSH: "Send push notifications that wake phones.",
    KeyScope.ACCOUNTS_READ: "Read accounts, their contacts and statistics; no passwords, confirmation codes or tokens.",
}
# Flexisip has one key for all of its calls.
_INCLUDED = {KeyScope.FLEXISIP: (KeyScope.STATISTICS_WRITE, KeyScope.PUSH)}


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A named API key as it is stored, without the key itself.

    Attributes:
        name: unique in its space, whatever the case of its letters.
        scopes: what it was given.
        account_id: the administrator who made it, without whom it does not work; `None` for a key of the space.
        space: the name of its space in documents; `None` for the default one.
        expires_at: when it ends in any case; `None` for never.
        idle_days: the days after which it ends unless it is used; `None` for never.
        last_used_at: to the minute; `None` before the first use.
    """

    id: int
    name: str
    scopes: tuple[KeyScope, ...]
    created_at: datetime
    account_id: int | None = None
    space: str | None = None
    expires_at: datetime | None = None
    idle_days: int | None = None
    last_used_at: datetime | None = None

    @property
    def opens(self) -> frozenset[KeyScope]:
        """Its scopes with those that they include."""
        return frozenset(opened for scope in self.scopes for opened in scope.opens)

    @property
    def ends_at(self) -> datetime | None:
        """When it is over unless it is used; `None` for never."""
        used_at = self.last_used_at or self.created_at
        idle_until = None if self.idle_days is None else used_at + timedelta(days=self.idle_days)
        return min((end for end in (self.expires_at, idle_until) if end is not None), default=None)

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.ends_at is not None and self.ends_at <= now
