"""Contacts lists, which administrators fill and give to accounts."""

import contextlib
from collections.abc import Sequence

from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, AsContact, ContactsList, Space
from flexiapi.services.accounts import AccountDirectory, ForwardedContacts
from flexiapi.sip_address import user_and_domain
from flexiapi.store import Store

MEMBERS_AT_ONCE = 50


class ContactsLists:
    """The contacts lists of each space, and the accounts that have them."""

    def __init__(self, store: Store, accounts: AccountDirectory, forwarded_contacts: ForwardedContacts) -> None:
        self._forwarded_contacts = forwarded_contacts
        self._store = store
        self._accounts = accounts

    async def all(self, space: Space) -> list[ContactsList]:
        """Return all lists of the space, by id."""
        return await self._store.contacts_lists.all(space)

    async def of(self, account: Account) -> list[ContactsList]:
        """Return the lists that an account has, by id."""
        return await self._store.contacts_lists.by_ids(account.contacts_list_ids, self._accounts.space_of(account))

    async def by_id(self, list_id: int, space: Space) -> ContactsList:
        """Return the list of the space with the id. Raises `RecordNotFound`."""
        found = await self._store.contacts_lists.by_id(list_id, space)
        if found is None:
            raise RecordNotFound
        return found

    async def members(self, contacts_list: ContactsList, space: Space) -> Sequence[AsContact]:
        """Return the contacts on the list that administrators of the space see, by id."""
        return await self._store.contacts.by_ids(contacts_list.contact_ids, space.reach)

    async def add(self, title: str, description: str, actor: Actor) -> ContactsList:
        """Create an empty list."""
        return await self._store.contacts_lists.add(title, description, actor)

    async def change(self, list_id: int, title: str, description: str, actor: Actor) -> ContactsList:
        """Change title and description of a list. Raises `RecordNotFound`."""
        changed = await self._store.contacts_lists.change(list_id, title, description, actor)
        if changed is None:
            raise RecordNotFound
        return changed

    async def remove(self, list_id: int, actor: Actor) -> None:
        """Remove a list, also from all accounts, and end call forwarding to who was on it. Raises `RecordNotFound`."""
        contacts_list = await self._of_actor(list_id, actor)
        if not await self._store.contacts_lists.remove(list_id, actor):
            raise RecordNotFound
        await self._forwarded_contacts.settle_those_to(contacts_list.contact_ids, actor)

    async def add_contact(self, list_id: int, contact_id: int, actor: Actor) -> None:
        """Add an account to a list. Raises `RecordNotFound`, `AlreadyAttached`."""
        contacts_list = await self._of_actor(list_id, actor)
        if contact_id in contacts_list.contact_ids:
            raise AlreadyAttached
        contact = await self._accounts.for_admin(contact_id, actor.space)
        if self._accounts.space_of(contact).stored != actor.stored_space:
            raise RecordNotFound
        if not await self._store.contacts_lists.add_contact(list_id, contact.id, actor):
            raise AlreadyAttached

    async def add_contacts(self, list_id: int, contact_ids: Sequence[int], actor: Actor) -> int:
        """Add accounts to a list, except those on it. Return how many were added. Raises `RecordNotFound`."""
        added = 0
        for contact_id in dict.fromkeys(contact_ids):
            with contextlib.suppress(AlreadyAttached):
                await self.add_contact(list_id, contact_id, actor)
                added += 1
        return added

    async def by_address(self, text: str, space: Space) -> Account:
        """Return the account with a SIP address, or with a user name in the domain of the space.

        Raises `ValidationFailed` on `contact` if administrators of the space see none.
        """
        names = user_and_domain(text if "@" in text else f"{text}@{space.domain}")
        if names is not None:
            with contextlib.suppress(RecordNotFound):
                return await self._accounts.for_admin_by_address(names[0].lower(), names[1], space)
        raise ValidationFailed({"contact": ["contact is no SIP address of an account"]})

    async def some_members(
        self, contacts_list: ContactsList, space: Space, after: int = 0
    ) -> tuple[Sequence[AsContact], int | None]:
        """Return members with an id above `after`, by id, and the last of these ids if more follow."""
        ids = sorted(one for one in contacts_list.contact_ids if one > after)
        members = await self._store.contacts.by_ids(ids[:MEMBERS_AT_ONCE], space.reach)
        return members, ids[MEMBERS_AT_ONCE - 1] if len(ids) > MEMBERS_AT_ONCE else None

    async def member(self, list_id: int, contact_id: int, space: Space) -> Account:
        """Return an account on a list that administrators of the space see. Raises `RecordNotFound`."""
        contacts_list = await self.by_id(list_id, space)
        if contact_id not in contacts_list.contact_ids:
            raise RecordNotFound
        return await self._accounts.for_admin(contact_id, space)

    async def remove_contact(self, list_id: int, contact_id: int, actor: Actor) -> None:
        """Remove an account from a list. Raises `RecordNotFound`, `NotAttached`."""
        await self._of_actor(list_id, actor)
        if not await self._store.contacts_lists.remove_contact(list_id, contact_id, actor):
            raise NotAttached
        await self._forwarded_contacts.settle_those_to([contact_id], actor)

    async def _of_actor(self, list_id: int, actor: Actor) -> ContactsList:
        return await self.by_id(list_id, actor.space or self._store.spaces.default)

    async def attach(self, account_id: int, list_id: int, actor: Actor) -> None:
        """Give a list to an account. Raises `RecordNotFound`, `AlreadyAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if list_id in account.contacts_list_ids:
            raise AlreadyAttached
        await self.by_id(list_id, self._accounts.space_of(account))
        if await self._store.accounts.apply(account.add_contacts_list(list_id), actor) is None:
            raise AlreadyAttached

    async def detach(self, account_id: int, list_id: int, actor: Actor) -> None:
        """Take a list from an account. Raises `RecordNotFound`, `NotAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if await self._store.accounts.apply(account.remove_contacts_list(list_id), actor) is None:
            raise NotAttached
        await self._forwarded_contacts.settle(account.id, actor)
