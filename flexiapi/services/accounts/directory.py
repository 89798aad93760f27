"""Accounts as others find them: in the domains that the caller may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, AccountSelection
from flexiapi.store import Store

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class AccountListing:
    """One page of accounts; `total` counts all pages' accounts."""

    number: int
    total: int
    accounts: Sequence[Account]

    @property
    def last(self) -> int:
        """The number of the last page; the first is there even when it is empty."""
        return max(1, -(-self.total // PAGE_SIZE))


class AccountDirectory:
    """Finds accounts; what is out of scope does not exist."""

    def __init__(self, store: Store, sip_domain: str, public_domains: Collection[str], *, multi_domain: bool) -> None:
        self._store = store
        self._sip_domain = sip_domain
        self._public_domains = public_domains
        self._multi_domain = multi_domain

    async def is_activated(self, username: str, domain: str) -> bool:
        """Whether the account of an address in a public domain is activated. Raises `RecordNotFound`."""
        is_public = domain in self._public_domains
        activated = await self._store.accounts.is_activated(username, domain) if is_public else None
        if activated is None:
            raise RecordNotFound
        return activated

    async def for_admin(self, account_id: int) -> Account:
        """The account with the id, as far as administrators see. Raises `RecordNotFound`."""
        account = await self.if_any(account_id)
        if account is None:
            raise RecordNotFound
        return account

    async def if_any(self, account_id: int) -> Account | None:
        """The account with the id, as far as administrators see."""
        account = await self._store.accounts.by_id(account_id)
        return account if account is not None and self.is_visible(account) else None

    async def for_admin_by_address(self, username: str, domain: str) -> Account:
        """The account of an address, as far as administrators see. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_address(username, domain)
        if account is None or not self.is_visible(account):
            raise RecordNotFound
        return account

    async def for_admin_by_email(self, email: str) -> Account:
        """The first account with the address, in any case, as far as administrators see. Raises `RecordNotFound`."""
        account = await self._store.listings.first_by_email(email.lower(), self.scope)
        if account is None:
            raise RecordNotFound
        return account

    async def page(self, wanted: AccountSelection, number: int) -> AccountListing:
        """One page of the accounts that administrators see; `number` is from 1 on."""
        if wanted.domain is None:
            wanted = replace(wanted, domain=self.scope)
        elif wanted.domain != self._sip_domain and not self._multi_domain:
            return AccountListing(number, 0, ())
        total, accounts = await self._store.listings.page(wanted, (number - 1) * PAGE_SIZE, PAGE_SIZE)
        return AccountListing(number, total, accounts)

    @property
    def scope(self) -> str | None:
        """The domain that administrators see; `None` is every one."""
        return None if self._multi_domain else self._sip_domain

    def is_visible(self, account: Account) -> bool:
        """Whether administrators see the account."""
        return self._multi_domain or account.domain == self._sip_domain

    def domain_for_admin(self, asked: str | None) -> str:
        """The domain of an account that an administrator makes."""
        return asked if asked and self._multi_domain else self._sip_domain
