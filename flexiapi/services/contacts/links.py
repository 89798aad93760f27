"""Contacts of an account, linked directly or through a list."""

from collections.abc import Sequence

from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound
from flexiapi.model import Account, Actor
from flexiapi.services.accounts import AccountDirectory
from flexiapi.store import Store


class ContactLinks:
    """Contacts of accounts. Users see those of their own domain and of the installation's SIP domain."""

    def __init__(self, store: Store, accounts: AccountDirectory, sip_domain: str) -> None:
        self._store = store
        self._accounts = accounts
        self._sip_domain = sip_domain

    async def of_user(self, account: Account) -> list[Account]:
        """Return the contacts that the user sees, each once, by id."""
        listed = await self._store.contacts_lists.contact_ids(account.contacts_list_ids)
        found = await self._store.contacts.by_ids(sorted(listed.union(account.contact_ids)))
        return [contact for contact in found if self._is_shown(contact, account)]

    async def one_of_user(self, account: Account, username: str, domain: str) -> Account:
        """Return the contact with the address `username@domain`. Raises `RecordNotFound`."""
        contact = await self._store.accounts.by_address(username, domain)
        if contact is None or not self._is_shown(contact, account):
            raise RecordNotFound
        listed = account.contacts_list_ids
        if contact.id not in account.contact_ids and not await self._store.contacts_lists.any_has(listed, contact.id):
            raise RecordNotFound
        return contact

    def _is_shown(self, contact: Account, account: Account) -> bool:
        return contact.domain in (self._sip_domain, account.domain)

    async def of(self, account_id: int) -> list[Account]:
        """Return the direct contacts of an account that administrators see. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id)
        return self._visible(await self._store.accounts.by_ids(account.contact_ids))

    async def one_of(self, account_id: int, contact_id: int) -> Account:
        """Return a direct contact of an account that administrators see. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id)
        if contact_id not in account.contact_ids:
            raise RecordNotFound
        return await self._accounts.for_admin(contact_id)

    def _visible(self, contacts: Sequence[Account]) -> list[Account]:
        return [contact for contact in contacts if self._accounts.is_visible(contact)]

    async def add(self, account_id: int, contact_id: int, actor: Actor) -> None:
        """Link a contact. Raises `RecordNotFound`, `AlreadyAttached`."""
        account = await self._accounts.for_admin(account_id)
        if contact_id in account.contact_ids:
            raise AlreadyAttached
        contact = await self._accounts.for_admin(contact_id)
        if await self._store.accounts.apply(account.add_contact(contact.id), actor) is None:
            raise AlreadyAttached

    async def remove(self, account_id: int, contact_id: int, actor: Actor) -> None:
        """Unlink a contact. Raises `RecordNotFound`, `NotAttached`."""
        account = await self._accounts.for_admin(account_id)
        if await self._store.accounts.apply(account.remove_contact(contact_id), actor) is None:
            raise NotAttached
