"""Listings of accounts: which accounts to list, what is found, and counts of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flexiapi.model.account import Account


@dataclass(frozen=True, slots=True)
class AccountSelection:
    """The accounts of a `domain` (`None`: of every domain) that match everything that is not `None`.

    `text` is what to search for in names, addresses and numbers, as it was typed. `contacts_list_id` and `type_id` are
    what an account has. `created_from` is the first moment of its creation, and `created_until` the first one after;
    so it is with `updated_from` and `updated_until` for its last change.
    """

    domain: str | None
    activated: bool | None = None
    admin: bool | None = None
    blocked: bool | None = None
    text: str | None = None
    contacts_list_id: int | None = None
    type_id: int | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_until: datetime | None = None

    @property
    def is_whole_domain(self) -> bool:
        """True if only the domain matters."""
        return self == AccountSelection(self.domain)


@dataclass(frozen=True, slots=True)
class AccountsFound:
    """A page of accounts, and how many match in all; `is_incomplete` if a search ended before it had them all."""

    total: int
    accounts: Sequence[Account]
    is_incomplete: bool = False


class SortKey(StrEnum):
    """The value that accounts are sorted by. Accounts with equal values are in the order of their ids."""

    ID = "id"
    USERNAME = "username"
    UPDATED = "updated"
    CREATED = "created"


SortValue = int | str | datetime


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """A place in an order of accounts: that of the account with this id, when it had this value to sort by."""

    value: SortValue
    id: int


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """An order of accounts."""

    key: SortKey
    descending: bool = False

    def place_of(self, account: Account) -> AccountPlace:
        """Return the place of an account in the order."""
        values: dict[SortKey, SortValue] = {
            SortKey.ID: account.id,
            SortKey.USERNAME: account.username,
            SortKey.UPDATED: account.updated_at,
            SortKey.CREATED: account.created_at,
        }
        return AccountPlace(values[self.key], account.id)


@dataclass(frozen=True, slots=True)
class AccountsSlice:
    """Accounts that follow each other in an order, and whether there are more before and after them."""

    accounts: Sequence[Account]
    has_before: bool = False
    has_after: bool = False


@dataclass(frozen=True, slots=True)
class AccountsTotal:
    """The number of accounts that match: exactly, or with `is_more` at least; `None` where counting took too long."""

    number: int | None
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class CreationCount:
    """Numbers of accounts made in one period: all, those with a phone number, and of each the activated ones."""

    accounts: int
    with_phone: int
    activated: int
    activated_with_phone: int
