"""Account lookups within the domains that the caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, AccountSelection, AsContact, Scope, Space
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class AccountListing:
    """A page of accounts; `total` is the number of accounts on all pages, `is_incomplete` if a search was cut short."""

    number: int
    total: int
    accounts: Sequence[Account]
    is_incomplete: bool = False

    @property
    def last(self) -> int:
        """Number of the last page; the first page exists even when it is empty."""
        return max(1, -(-self.total // PAGE_SIZE))


class AccountDirectory:
    """Lookups in a space that treat accounts of other domains as missing."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._spaces = ground.spaces

    def space_of(self, account: AsContact) -> Space:
        """Return the space that an account belongs to; types, lists and contacts of it are of the same one."""
        return self._spaces.of_domain(account.domain)

    async def again(self, account: Account) -> Account:
        """Return an account as it is now. Raises `RecordNotFound`."""
        return existing(await self._store.accounts.by_id(account.id, self.space_of(account).scope))

    async def is_activated(self, username: str, domain: str, space: Space) -> bool:
        """Return whether the account of an address in a public domain is activated. Raises `RecordNotFound`."""
        is_public = domain in space.names.public_domains
        activated = await self._store.accounts.is_activated(username, domain, space.scope) if is_public else None
        if activated is None:
            raise RecordNotFound
        return activated

    async def for_admin(self, account_id: int, space: Space | None) -> Account:
        """Return the account with the id, if administrators of the space see it. Raises `RecordNotFound`."""
        account = await self.if_any(account_id, space)
        if account is None:
            raise RecordNotFound
        return account

    async def if_any(self, account_id: int, space: Space | None) -> Account | None:
        """Return the account with the id, if it exists and administrators of the space see it."""
        return await self._store.accounts.by_id(account_id, (space or self._spaces.default).reach)

    async def within(self, account_id: int, reach: Scope) -> Account:
        """Return the account with the id, if its domain is in the reach. Raises `RecordNotFound`."""
        return existing(await self._store.accounts.by_id(account_id, reach))

    async def for_admin_by_address(self, username: str, domain: str, space: Space) -> Account:
        """Return the account of an address, if administrators of the space see it. Raises `RecordNotFound`."""
        accounts = self._store.accounts
        account = await accounts.by_address(username, domain, space.reach)
        if account is None and username.startswith("+"):
            account = await accounts.by_claim(username, domain, space.reach)
        if account is None or account.username != username:
            raise RecordNotFound
        return account

    async def for_admin_by_email(self, email: str, space: Space) -> Account:
        """Return the first account with the address that administrators of the space see. Raises `RecordNotFound`."""
        account = await self._store.listings.first_by_email(email.lower(), space.reach)
        if account is None:
            raise RecordNotFound
        return account

    async def page(self, wanted: AccountSelection, number: int, space: Space) -> AccountListing:
        """Return a page of the accounts that administrators of the space see; the first `number` is 1."""
        if wanted.domain is None:
            wanted = replace(wanted, domain=space.reach.only)
        elif not space.reach.has(wanted.domain):
            return AccountListing(number, 0, ())
        found = await self._store.listings.page(wanted, (number - 1) * PAGE_SIZE, PAGE_SIZE)
        return AccountListing(number, found.total, found.accounts, found.is_incomplete)

    def domain_for_admin(self, asked: str | None, space: Space | None) -> str:
        """Return the domain of an account that an administrator of the space creates, who may ask for one."""
        space = space or self._spaces.default
        return asked if asked and space.may_name_domains else space.domain
