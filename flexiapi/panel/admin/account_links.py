"""Contacts, contacts lists and types of an account."""

from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Confirmed, ConfirmedEndpoint, Id, ItemId
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services import fields
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

ItemNumber = Annotated[int, Field(ge=1, le=2**53)]


class ContactForm(Form):
    """A new contact."""

    submit = marked("Add the contact")

    contact: Annotated[
        fields.Text,
        Input(marked("SIP address"), hint=marked("Or a user name of the same domain")),
    ]


class TypeChoice(Form):
    """A type for an account."""

    submit = marked("Attach the type")

    type: Annotated[ItemNumber, Input(marked("Type"), kind="select")]


class ListChoice(Form):
    """A contacts list for an account."""

    submit = marked("Attach the list")

    contacts_list: Annotated[ItemNumber, Input(marked("Contacts list"), kind="select")]


class ContactAdditionEndpoint(AccountFormEndpoint):
    """A new contact of an account."""

    path = "/admin/accounts/{id}/contacts/create"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, body: ContactForm) -> PageReply:
        """Add the contact."""
        contact = await self.contacts.links.by_address(body.contact, await self.account(), self.space)
        await self.contacts.links.add(id, contact.id, self.actor)
        return self.see_other(f"/admin/accounts/{id}/contacts", Done.CONTACT_ADDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        form = self.form(ContactForm, filled, action=self.place_of(account, "contacts/create"))
        return self.form_page(account, form, title=marked("Add a contact"), tab="contacts")


class ContactRemovalEndpoint(ConfirmedEndpoint):
    """The removal of a contact."""

    path = "/admin/accounts/{id}/contacts/{item}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, item: ItemId) -> PageReply:
        """Show what will be removed."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, item: ItemId, body: Confirmed) -> PageReply:
        """Remove the contact."""
        del body
        await self.contacts.links.remove(id, item, self.actor)
        return self.see_other(f"/admin/accounts/{id}/contacts", Done.CONTACT_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account = await self.account()
        contact = await self.contacts.links.one_of(account.id, self.arguments["item"], self.space)
        return self.confirmation(
            account,
            filled,
            title=marked("Remove the contact"),
            lead=(marked("The account no longer sees this contact, whose own account stays."),),
            submit=marked("Remove"),
            tab="contacts",
            subject=contact.address,
        )


class TypeAttachmentEndpoint(AccountFormEndpoint):
    """A further type of an account."""

    path = "/admin/accounts/{id}/types/create"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, body: TypeChoice) -> PageReply:
        """Attach the type."""
        await self.accounts.types.attach(id, body.type, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.TYPE_ATTACHED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        types = await self.accounts.types.all(self.accounts.directory.space_of(account))
        choices = {"type": [Choice(str(one.id), one.key) for one in types if one.id not in account.type_ids]}
        form = self.form(TypeChoice, filled, action=self.place_of(account, "types/create"), choices=choices)
        lead = () if choices["type"] else (marked("There is no further type."),)
        return self.form_page(account, form, title=marked("Attach a type"), lead=lead)


class TypeDetachmentEndpoint(ConfirmedEndpoint):
    """The end of a type of an account."""

    path = "/admin/accounts/{id}/types/{item}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, item: ItemId) -> PageReply:
        """Show what will be detached."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, item: ItemId, body: Confirmed) -> PageReply:
        """Detach the type."""
        del body
        await self.accounts.types.detach(id, item, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.TYPE_DETACHED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account = await self.account()
        known = await self.accounts.types.get(self.arguments["item"], self.accounts.directory.space_of(account))
        return self.confirmation(
            account,
            filled,
            title=marked("Detach the type"),
            lead=(marked("The account is no longer of this type."),),
            submit=marked("Detach"),
            subject=known.key,
        )


class ListAttachmentEndpoint(AccountFormEndpoint):
    """A further contacts list of an account."""

    path = "/admin/accounts/{id}/contacts_lists/attach"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, body: ListChoice) -> PageReply:
        """Attach the list."""
        await self.contacts.lists.attach(id, body.contacts_list, self.actor)
        return self.see_other(f"/admin/accounts/{id}/contacts", Done.LIST_ATTACHED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        lists = await self.contacts.lists.all(self.accounts.directory.space_of(account))
        free = [Choice(str(one.id), one.title) for one in lists if one.id not in account.contacts_list_ids]
        action, choices = self.place_of(account, "contacts_lists/attach"), {"contacts_list": free}
        form = self.form(ListChoice, filled, action=action, choices=choices)
        lead = () if free else (marked("There is no further contacts list."),)
        return self.form_page(account, form, title=marked("Attach a contacts list"), lead=lead, tab="contacts")


class ListDetachmentEndpoint(ConfirmedEndpoint):
    """The end of a contacts list of an account."""

    path = "/admin/accounts/{id}/contacts_lists/{item}/detach"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, item: ItemId) -> PageReply:
        """Show what will be detached."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, item: ItemId, body: Confirmed) -> PageReply:
        """Detach the list."""
        del body
        await self.contacts.lists.detach(id, item, self.actor)
        return self.see_other(f"/admin/accounts/{id}/contacts", Done.LIST_DETACHED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account = await self.account()
        space = self.accounts.directory.space_of(account)
        known = await self.contacts.lists.by_id(self.arguments["item"], space)
        return self.confirmation(
            account,
            filled,
            title=marked("Detach the contacts list"),
            lead=(marked("The account no longer sees the contacts of this list. The list stays."),),
            submit=marked("Detach"),
            tab="contacts",
            subject=known.title,
        )
