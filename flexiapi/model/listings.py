"""Listings of accounts: which accounts to list, what is found, and counts of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass

from flexiapi.model.account import Account


@dataclass(frozen=True, slots=True)
class AccountSelection:
    """The accounts of a `domain` (`None`: of every domain) that match everything that is not `None`.

    `text` is what to search for in names, addresses and numbers, as it was typed.
    """

    domain: str | None
    activated: bool | None = None
    admin: bool | None = None
    text: str | None = None

    @property
    def is_whole_domain(self) -> bool:
        """True if only the domain matters."""
        return self.activated is None and self.admin is None and self.text is None


@dataclass(frozen=True, slots=True)
class AccountsFound:
    """A page of accounts, and how many match in all; `is_incomplete` if a search ended before it had them all."""

    total: int
    accounts: Sequence[Account]
    is_incomplete: bool = False


@dataclass(frozen=True, slots=True)
class CreationCount:
    """Numbers of accounts made in one period: all, those with a phone number, and of each the activated ones."""

    accounts: int
    with_phone: int
    activated: int
    activated_with_phone: int
