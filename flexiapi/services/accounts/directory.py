"""Account lookups within the domains that the caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, AccountSelection
from flexiapi.services.ground import Ground

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class AccountListing:
    """A page of accounts; `total` is the number of accounts on all pages."""

    number: int
    total: int
    accounts: Sequence[Account]

    @property
    def last(self) -> int:
        """Number of the last page; the first page exists even when it is empty."""
        return max(1, -(-self.total // PAGE_SIZE))


class AccountDirectory:
    """Lookups that treat accounts of other domains as missing."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._sip_domain = ground.settings.app.sip_domain
        self._public_domains = ground.name_rules.public_domains
        self._multi_domain = ground.settings.app.admins_manage_multi_domains

    async def is_activated(self, username: str, domain: str) -> bool:
        """Return whether the account of an address in a public domain is activated. Raises `RecordNotFound`."""
        is_public = domain in self._public_domains
        activated = await self._store.accounts.is_activated(username, domain) if is_public else None
        if activated is None:
            raise RecordNotFound
        return activated

    async def for_admin(self, account_id: int) -> Account:
        """Return the account with the id, if administrators see it. Raises `RecordNotFound`."""
        account = await self.if_any(account_id)
        if account is None:
            raise RecordNotFound
        return account

    async def if_any(self, account_id: int) -> Account | None:
        """Return the account with the id, if it exists and administrators see it."""
        account = await self._store.accounts.by_id(account_id)
        return account if account is not None and self.is_visible(account) else None

    async def for_admin_by_address(self, username: str, domain: str) -> Account:
        """Return the account of an address, if administrators see it. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_address(username, domain)
        if account is None or not self.is_visible(account):
            raise RecordNotFound
        return account

    async def for_admin_by_email(self, email: str) -> Account:
        """Return the first account with the e-mail address that administrators see. Raises `RecordNotFound`."""
        account = await self._store.listings.first_by_email(email.lower(), self.scope)
        if account is None:
            raise RecordNotFound
        return account

    async def page(self, wanted: AccountSelection, number: int) -> AccountListing:
        """Return a page of the accounts that administrators see; the first `number` is 1."""
        if wanted.domain is None:
            wanted = replace(wanted, domain=self.scope)
        elif wanted.domain != self._sip_domain and not self._multi_domain:
            return AccountListing(number, 0, ())
        total, accounts = await self._store.listings.page(wanted, (number - 1) * PAGE_SIZE, PAGE_SIZE)
        return AccountListing(number, total, accounts)

    @property
    def scope(self) -> str | None:
        """The domain that administrators see; `None` for all."""
        return None if self._multi_domain else self._sip_domain

    def is_visible(self, account: Account) -> bool:
        """Return whether administrators see the account."""
        return self._multi_domain or account.domain == self._sip_domain

    def domain_for_admin(self, asked: str | None) -> str:
        """Return the domain of an account that an administrator creates, who may ask for one."""
        return asked if asked and self._multi_domain else self._sip_domain
