"""Entries of an account's dictionary."""

from typing import Annotated

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Confirmed, ConfirmedEndpoint, Id
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.services import fields
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

EntryKey = Annotated[str, Segment("[^/]{1,255}", "customer", "a key of the dictionary")]


class EntryForm(Form):
    """An entry of the dictionary."""

    submit = marked("Save the entry")

    key: Annotated[fields.Text, Input(marked("Key"), hint=marked("One that is there already gets another value"))]
    value: Annotated[fields.EntryValue, Input(marked("Value"))]


class EntryQuery(Params):
    """The entry that the form shows first."""

    key: fields.Text | None = None


class EntryEndpoint(AccountFormEndpoint):
    """A new entry of the dictionary, or another value of one."""

    path = "/admin/accounts/{id}/dictionary/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, query: EntryQuery) -> PageReply:
        """Show the form."""
        values = await self.accounts.dictionaries.of(id, self.space)
        return await self.show(EMPTY, query.key if query.key in values else None)

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, body: EntryForm) -> PageReply:
        """Set the entry."""
        await self.accounts.dictionaries.set(id, body.key, body.value, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.ENTRY_SAVED)

    async def show(self, filled: Filled = EMPTY, key: str | None = None) -> PageReply:
        """Return the page with the form, which has the entry of a key."""
        account = await self.account()
        known = {} if key is None else {"key": key, "value": account.dictionary_values.get(key, "")}
        form = self.form(EntryForm, filled, action=self.place_of(account, "dictionary/edit"), initial=known)
        return self.form_page(account, form, title=marked("Add or change an entry"))


class EntryRemovalEndpoint(ConfirmedEndpoint):
    """The removal of an entry of the dictionary."""

    path = "/admin/accounts/{id}/dictionary/entries/{key}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, key: EntryKey) -> PageReply:
        """Show what will be deleted."""
        del id, key
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, key: EntryKey, body: Confirmed) -> PageReply:
        """Delete the entry."""
        del body
        await self.accounts.dictionaries.remove(id, key, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.ENTRY_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account, key = await self.account(), self.arguments["key"]
        await self.accounts.dictionaries.value(account.id, key, self.space)
        return self.confirmation(
            account,
            filled,
            title=marked("Delete the entry"),
            lead=(marked("Programs that read it no longer find it."),),
            submit=marked("Delete"),
            subject=key,
        )
