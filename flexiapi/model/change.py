"""Changes as data, and the actor that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from flexiapi.model.space import Space

Noun = TypeVar("Noun")


class ElementChange(StrEnum):
    """The kinds of change to one element of a list field."""

    ADDED = "added"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Element:
    """A change to one element of the list `field`. It does not conflict with changes to other elements.

    One that is added expects that the list has fewer than `most` elements, if that is given.
    """

    field: str
    kind: ElementChange
    item: Any
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Change(Generic[Noun]):
    """One atomic change of a record.

    Attributes:
        event: name of the event that the change is, such as `account.activated`.
        before: the record as it was read; `None` for a new one.
        after: the record afterwards; `None` for a removal.
        fields: names of the fields that are written; all others keep their stored value.
        expecting: preconditions, the stored value by dotted field name; `None` stands for an absent field. If one does
            not hold, nothing is written.
        element: a change to one element of a list field.
        ends_sign_ins: whether nonces and tokens of earlier sign-ins end (the sign-in epoch grows).
    """

    event: str
    before: Noun | None
    after: Noun | None
    fields: frozenset[str] = frozenset()
    expecting: Mapping[str, Any] = field(default_factory=dict, repr=False)
    element: Element | None = None
    ends_sign_ins: bool = False


class ActorKind(StrEnum):
    """The kinds of actor."""

    ACCOUNT = "account"
    KEY = "key"
    ANONYMOUS = "anonymous"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(slots=True)
class Actor:
    """The origin of changes: an account, a named API key, an anonymous caller, a command or the server itself.

    One actor stands for one request or one command. It gathers the ids of accounts whose SIP credentials its changes
    touched (`credentials_changed`), until `take_changed` hands them over to be settled in the sign-in replica.

    Attributes:
        account_id: the signed-in account.
        sign_in: how it signed in, `key` or `digest`.
        address: IP address of the caller.
        user_agent: name of the calling program.
        accept_language: languages that the caller prefers, as the HTTP header of that name has them.
        space: the space that the request came to; `None`, as for the server itself, stands for the default one.
    """

    kind: ActorKind
    account_id: int | None = None
    sign_in: str | None = None
    address: str = ""
    user_agent: str = ""
    space: Space | None = None
    accept_language: str = ""
    key_id: int | None = None
    _changed: dict[int, None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def cli(cls) -> Self:
        """Return the actor of a command."""
        return cls(ActorKind.CLI)

    @classmethod
    def system(cls) -> Self:
        """Return the actor of work that the server does by itself."""
        return cls(ActorKind.SYSTEM)

    @property
    def key_suffix(self) -> str:
        """The end of keys that are unique over all spaces."""
        return "" if self.space is None else self.space.suffix

    @property
    def stored_space(self) -> str | None:
        """The name of the space in documents; `None` for the default one."""
        return None if self.space is None else self.space.stored

    @property
    def label(self) -> str:
        """The account's id, that of a named key after `key:`, or the kind of actor, for logs."""
        if self.key_id is not None:
            return f"{ActorKind.KEY}:{self.key_id}"
        return self.kind.value if self.account_id is None else str(self.account_id)

    def is_owner_of(self, account_id: int) -> bool:
        """Return whether the caller is the owner of an account, or an anonymous caller, who says to be."""
        return self.kind is ActorKind.ANONYMOUS or self.account_id == account_id

    def credentials_changed(self, account_id: int) -> None:
        """Note an account whose SIP credentials or existence changed."""
        self._changed[account_id] = None

    @property
    def has_changed(self) -> bool:
        """True if accounts are noted."""
        return bool(self._changed)

    def take_changed(self) -> list[int]:
        """Return the noted accounts, oldest first, and forget them."""
        changed, self._changed = self._changed, {}
        return list(changed)
