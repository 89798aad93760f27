"""Listings of accounts: which accounts to list, and counts of accounts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountSelection:
    """The accounts of a `domain` (`None`: of every domain) that match everything that is not `None`.

    `text` is the beginning of a user name, SIP address, phone number or mail address, in lower case.
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
class CreationCount:
    """Numbers of accounts made in one period: all, those with a phone number, and of each the activated ones."""

    accounts: int
    with_phone: int
    activated: int
    activated_with_phone: int
