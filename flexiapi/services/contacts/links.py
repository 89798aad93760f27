"""Contacts of an account, linked directly or through a list."""

from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, AsContact, Space
from flexiapi.services.accounts import AccountDirectory, ForwardedContacts
from flexiapi.sip_address import user_and_domain
from flexiapi.store import Store


class ContactLinks:
    """Contacts of accounts, in the same space. Users see those of their own domain and of the space's SIP domain."""

    def __init__(self, store: Store, accounts: AccountDirectory, forwarded_contacts: ForwardedContacts) -> None:
        self._forwarded_contacts = forwarded_contacts
        self._store = store
        self._accounts = accounts

    async def of_user(self, account: Account) -> list[AsContact]:
        """Return the contacts that the user sees, each once, by id."""
        listed = await self._store.contacts_lists.contact_ids(account.contacts_list_ids)
        scope = self._accounts.space_of(account).scope
        found = await self._store.contacts.by_ids(sorted(listed.union(account.contact_ids)), scope)
        shown = self._domains_shown_to(account)
        return [contact for contact in found if contact.domain in shown]

    async def one_of_user(self, account: Account, username: str, domain: str) -> Account:
        """Return the contact with the address `username@domain`. Raises `RecordNotFound`."""
        contact = await self._store.accounts.by_address(username, domain, self._accounts.space_of(account).scope)
        if contact is None or contact.domain not in self._domains_shown_to(account):
            raise RecordNotFound
        listed = account.contacts_list_ids
        if contact.id not in account.contact_ids and not await self._store.contacts_lists.any_has(listed, contact.id):
            raise RecordNotFound
        return contact

    def _domains_shown_to(self, account: Account) -> tuple[str, str]:
        return (self._accounts.space_of(account).domain, account.domain)

    async def of(self, account_id: int, space: Space) -> list[Account]:
        """Return the direct contacts of an account that administrators of the space see. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id, space)
        return await self._store.accounts.by_ids(account.contact_ids, space.reach)

    async def one_of(self, account_id: int, contact_id: int, space: Space) -> Account:
        """Return a direct contact of an account that administrators of the space see. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id, space)
        if contact_id not in account.contact_ids:
            raise RecordNotFound
        return await self._accounts.for_admin(contact_id, space)

    async def by_address(self, text: str, account: Account, space: Space) -> Account:
        """Return the account with a SIP address, or with a user name in the domain of `account`.

        Raises `ValidationFailed` on `contact` if administrators of the space see none.
        """
        names = user_and_domain(text if "@" in text else f"{text}@{account.domain}")
        try:
            if names is not None:
                return await self._accounts.for_admin_by_address(names[0].lower(), names[1], space)
        except RecordNotFound:
            pass
        raise ValidationFailed({"contact": ["There is no account with this SIP address."]})

    async def add(self, account_id: int, contact_id: int, actor: Actor) -> None:
        """Link a contact of the same space. Raises `RecordNotFound`, `AlreadyAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if contact_id in account.contact_ids:
            raise AlreadyAttached
        contact = await self._accounts.for_admin(contact_id, actor.space)
        if self._accounts.space_of(contact) is not self._accounts.space_of(account):
            raise RecordNotFound
        if await self._store.accounts.apply(account.add_contact(contact.id), actor) is None:
            raise AlreadyAttached

    async def remove(self, account_id: int, contact_id: int, actor: Actor) -> None:
        """Unlink a contact, and end call forwarding to it. Raises `RecordNotFound`, `NotAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if await self._store.accounts.apply(account.remove_contact(contact_id), actor) is None:
            raise NotAttached
        await self._forwarded_contacts.settle(account.id, actor)
