"""Contacts lists, which several accounts can share."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.api.views.contacts import ContactsListView, ListedContactsList
from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound
from flexiapi.services.fields import DisplayName, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

Title = Annotated[DisplayName, Field(description="the title of the list", examples=["Building A"])]
Description = Annotated[
    Text, Field(max_length=4096, description="what the list is for", examples=["All intercoms of the building"])
]


class ContactsListParams(Params):
    """The values of a contacts list."""

    title: Title
    description: Description


class ContactsListsEndpoint(ApiEndpoint):
    """The collection of contacts lists."""

    path = "/api/contacts_lists"

    @endpoint(Access.ADMIN)
    async def get(self) -> list[ListedContactsList]:
        """Get all the contacts lists."""
        return [ListedContactsList.of(contacts_list) for contacts_list in await self.contacts.lists.all(self.space)]

    @endpoint(Access.ADMIN, status=201)
    async def post(self, body: ContactsListParams) -> ListedContactsList:
        """Create a contacts list."""
        return ListedContactsList.of(await self.contacts.lists.add(body.title, body.description, self.actor))


class ContactsListByIdEndpoint(ApiEndpoint):
    """A contacts list."""

    path = "/api/contacts_lists/{id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> ContactsListView:
        """Get a contacts list with its contacts."""
        contacts_list = await self.contacts.lists.by_id(id, self.space)
        members = await self.contacts.lists.members(contacts_list, self.space)
        return ContactsListView.of(contacts_list, members, await self.view_data(*members))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def put(self, id: Id, body: ContactsListParams) -> ListedContactsList:
        """Update a contacts list."""
        return ListedContactsList.of(await self.contacts.lists.change(id, body.title, body.description, self.actor))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id) -> None:
        """Delete a contacts list. It is removed from all accounts; the accounts of its contacts are kept."""
        await self.contacts.lists.remove(id, self.actor)


class ContactsListContactEndpoint(ApiEndpoint):
    """A contact on a contacts list."""

    path = "/api/contacts_lists/{id}/contacts/{contact_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, AlreadyAttached))
    async def post(self, id: Id, contact_id: Id) -> None:
        """Add a contact to the contacts list.

        Return `403` if it is on the list already.
        """
        await self.contacts.lists.add_contact(id, contact_id, self.actor)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NotAttached))
    async def delete(self, id: Id, contact_id: Id) -> None:
        """Remove a contact from the contacts list.

        Return `403` if it is not on the list.
        """
        await self.contacts.lists.remove_contact(id, contact_id, self.actor)


class AccountContactsListEndpoint(ApiEndpoint):
    """The assignment of a contacts list to an account."""

    path = "/api/accounts/{id}/contacts_lists/{contacts_list_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, AlreadyAttached))
    async def post(self, id: Id, contacts_list_id: Id) -> None:
        """Add a contacts list to the account.

        Return `403` if the account has it already.
        """
        await self.contacts.lists.attach(id, contacts_list_id, self.actor)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NotAttached))
    async def delete(self, id: Id, contacts_list_id: Id) -> None:
        """Remove a contacts list from the account.

        Return `403` if the account does not have it.
        """
        await self.contacts.lists.detach(id, contacts_list_id, self.actor)
