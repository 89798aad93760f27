"""Events: the changes that were made, by whom and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flexiapi.model.change import Actor

CREDENTIAL_FIELDS = frozenset(
    {"username", "domain", "phone", "passwords", "activated", "blocked_at", "bridged_account"}
)
"""The fields of an account that the SIP server gets something of."""

_ACCOUNTS = "accounts"
_ALWAYS = frozenset({"account.created", "account.removed", "accounts.imported"})


@dataclass(frozen=True, slots=True)
class EventSelection:
    """The events to show; a part that is `None` selects all.

    Attributes:
        name: the name, in which `*` stands for any characters.
        account_id: an account that changed.
        actor: the id of the account that made the change, or the kind of the actor, such as `cli`.
    """

    name: str | None = None
    account_id: int | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change that was made. It names what changed and holds no values that are secret.

    Attributes:
        id: 24 hexadecimal digits.
        number: its place among all events of the installation, from 1 on; `None` while it has none.
        name: such as `account.activated`.
        collection: the collection that the change was made in, such as `accounts`.
        subject: id of the changed record; a token's is hexadecimal. `None` for a change of many records.
        revision: its place among the changes of its subject, from 1 on; 0 for a change of many records.
        details: such as the `fields` that were written, or the `ids` of many changed records.
    """

    id: str
    number: int | None
    name: str
    at: datetime
    collection: str
    subject: int | str | None
    revision: int
    actor: Actor
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account_ids(self) -> Sequence[int]:
        """The accounts that changed."""
        if self.collection != _ACCOUNTS:
            return ()
        return [self.subject] if isinstance(self.subject, int) else list(self.details.get("ids", ()))

    @property
    def touches_credentials(self) -> bool:
        """True if an account may sign in by SIP otherwise than before."""
        if self.collection != _ACCOUNTS:
            return False
        return self.name in _ALWAYS or not CREDENTIAL_FIELDS.isdisjoint(self.details.get("fields", ()))
