"""Contacts lists, which several accounts share."""

from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.office_endpoint import ListingPlace, OfficeEndpoint, RecordId, RemovalForm
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import ContactsListPage, ContactsListsPage, CountedList
from flexiapi.services.fields import DisplayName, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

LISTS = "/admin/contacts_lists"


class ContactsListForm(Form):
    """A contacts list."""

    submit = marked("Save")

    title: Annotated[DisplayName, Input(marked("Title"))]
    description: Annotated[
        Text,
        Field(max_length=4096),
        Input(marked("Description"), kind="textarea", hint=marked("What the list is for")),
    ]


class ContactsListsOverviewEndpoint(PanelEndpoint):
    """The list of contacts lists."""

    path = LISTS

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the contacts lists."""
        lists = await self.contacts.lists.all(self.space)
        counts = await self.accounts.overview.of_lists([one.id for one in lists], self.space)
        shown = [CountedList(one, counts[one.id]) for one in lists]
        return self.panel_page(ContactsListsPage(self.frame(marked("Contacts lists")), shown))


class ContactsListCreationEndpoint(OfficeEndpoint):
    """A new contacts list."""

    path = f"{LISTS}/create"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(Access.ADMIN, hidden=True)
    async def post(self, body: ContactsListForm) -> PageReply:
        """Create the list."""
        made = await self.contacts.lists.add(body.title, body.description, self.actor)
        return self.see_other(f"{LISTS}/{made.id}", Done.LIST_CREATED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        form = self.form(ContactsListForm, filled, action=self.path)
        return self.form_page(marked("Create a contacts list"), form, LISTS)


class ContactsListPageEndpoint(PanelEndpoint):
    """A contacts list with its members."""

    path = f"{LISTS}/{{id}}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId, params: ListingPlace) -> PageReply:
        """Show the list."""
        known = await self.contacts.lists.by_id(id, self.space)
        members, following = await self.contacts.lists.some_members(known, self.space, params.after or 0)
        counts = await self.accounts.overview.of_lists([id], self.space)
        return self.panel_page(
            ContactsListPage(
                self.frame(marked("Contacts list")), known, members, counts[id], params.after is None, following
            )
        )


class ContactsListChangeEndpoint(OfficeEndpoint):
    """Another title and description of a contacts list."""

    path = f"{LISTS}/{{id}}/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: ContactsListForm) -> PageReply:
        """Change the list."""
        await self.contacts.lists.change(id, body.title, body.description, self.actor)
        return self.see_other(f"{LISTS}/{id}", Done.LIST_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        known = await self.contacts.lists.by_id(self.arguments["id"], self.space)
        initial = {"title": known.title, "description": known.description}
        form = self.form(ContactsListForm, filled, action=f"{LISTS}/{known.id}/edit", initial=initial)
        return self.form_page(marked("Edit the contacts list"), form, f"{LISTS}/{known.id}")


class ContactsListRemovalEndpoint(OfficeEndpoint):
    """The removal of a contacts list."""

    path = f"{LISTS}/{{id}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Show what will be removed."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: RemovalForm) -> PageReply:
        """Remove the list."""
        del body
        await self.contacts.lists.remove(id, self.actor)
        return self.see_other(LISTS, Done.LIST_DELETED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        known = await self.contacts.lists.by_id(self.arguments["id"], self.space)
        return self.removal_page(
            marked("Delete the contacts list"),
            known.title,
            filled,
            action=f"{LISTS}/{known.id}/delete",
            back=f"{LISTS}/{known.id}",
            lead=[marked("Accounts that have it lose these contacts. The accounts of its members stay.")],
        )
