"""Accounts as others find them: in the domains that the caller may see."""

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account
from flexiapi.store import Store


class Accounts:
    """Finds accounts; what is out of scope does not exist."""

    def __init__(self, store: Store, sip_domain: str, *, multi_domain: bool) -> None:
        self._store = store
        self._sip_domain = sip_domain
        self._multi_domain = multi_domain

    async def public(self, username: str, domain: str) -> Account:
        """The account of an address of this installation's domain. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_address(username, domain) if domain == self._sip_domain else None
        if account is None:
            raise RecordNotFound
        return account

    async def for_admin(self, account_id: int) -> Account:
        """The account with the id, as far as administrators see. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_id(account_id)
        if account is None or not self.is_visible(account):
            raise RecordNotFound
        return account

    def is_visible(self, account: Account) -> bool:
        """Whether administrators see the account."""
        return self._multi_domain or account.domain == self._sip_domain

    def domain_for_admin(self, asked: str | None) -> str:
        """The domain of an account that an administrator makes."""
        return asked if asked and self._multi_domain else self._sip_domain
