"""Contacts and lists of them."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from flexiapi.model.parts import Action, DtmfProtocol


class AsContact(Protocol):
    """The part of an account that those see whose contact it is."""

    @property
    def id(self) -> int:
        """Id of the account."""

    @property
    def username(self) -> str:
        """User name."""

    @property
    def domain(self) -> str:
        """SIP domain."""

    @property
    def activated(self) -> bool:
        """True if the account is active."""

    @property
    def phone(self) -> str | None:
        """Phone number."""

    @property
    def display_name(self) -> str | None:
        """Name to show."""

    @property
    def dtmf_protocol(self) -> DtmfProtocol | None:
        """The way in which it takes DTMF digits."""

    @property
    def type_ids(self) -> tuple[int, ...]:
        """Ids of its types."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its actions."""

    @property
    def address(self) -> str:
        """`username@domain`."""


class ContactRecord(NamedTuple):
    """A contact alone. Phone books have hundreds, and it is made in a tenth of the time of an `Account`."""

    id: int
    username: str
    domain: str
    activated: bool
    phone: str | None
    display_name: str | None
    dtmf_protocol: DtmfProtocol | None
    type_ids: tuple[int, ...]
    actions: tuple[Action, ...]

    @property
    def address(self) -> str:
        """`username@domain`."""
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True, slots=True)
class ContactsList:
    """A named set of accounts that are contacts of every account it is attached to."""

    id: int
    title: str
    description: str
    contact_ids: tuple[int, ...] = ()
