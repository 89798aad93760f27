"""Actions of an account's device on DTMF codes."""

from typing import Annotated

from flexiapi.errors import NoDtmfProtocol, RecordNotFound
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Confirmed, ConfirmedEndpoint, Id, ItemId
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.services import fields
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class ActionForm(Form):
    """An action of the account's device."""

    submit = marked("Save the action")

    key: Annotated[fields.Key, Input(marked("Key"), hint=marked("Lower-case letters, digits, - and _"))]
    code: Annotated[fields.Code, Input(marked("DTMF code"), hint=marked("Lower-case letters and digits"))]


class ActionCreationEndpoint(AccountFormEndpoint):
    """A new action of an account's device."""

    path = "/admin/accounts/{id}/actions/create"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NoDtmfProtocol), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the form."""
        await self.accounts.actions.owner(id, self.space)
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NoDtmfProtocol), hidden=True)
    async def post(self, id: Id, body: ActionForm) -> PageReply:
        """Add the action."""
        owner = await self.accounts.actions.owner(id, self.space)
        await self.accounts.actions.add(owner, body.key, body.code, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.ACTION_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        form = self.form(ActionForm, filled, action=self.place_of(account, "actions/create"))
        return self.form_page(account, form, title=marked("Add an action"))


class ActionChangeEndpoint(AccountFormEndpoint):
    """An action of an account's device."""

    path = "/admin/accounts/{id}/actions/{item}/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NoDtmfProtocol), hidden=True)
    async def get(self, id: Id, item: ItemId) -> PageReply:
        """Show the form."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NoDtmfProtocol), hidden=True)
    async def post(self, id: Id, item: ItemId, body: ActionForm) -> PageReply:
        """Change key and code of the action."""
        owner = await self.accounts.actions.owner(id, self.space)
        await self.accounts.actions.replace(owner, item, body.key, body.code, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.ACTION_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        known = self.accounts.actions.one_of(account, self.arguments["item"])
        place = self.place_of(account, f"actions/{known.id}/edit")
        form = self.form(ActionForm, filled, action=place, initial={"key": known.key, "code": known.code})
        return self.form_page(account, form, title=marked("Change the action"))


class ActionRemovalEndpoint(ConfirmedEndpoint):
    """The removal of an action of an account's device."""

    path = "/admin/accounts/{id}/actions/{item}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, item: ItemId) -> PageReply:
        """Show what will be deleted."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, item: ItemId, body: Confirmed) -> PageReply:
        """Delete the action."""
        del body
        await self.accounts.actions.remove(await self.account(), item, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.ACTION_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account = await self.account()
        known = self.accounts.actions.one_of(account, self.arguments["item"])
        return self.confirmation(
            account,
            filled,
            title=marked("Delete the action"),
            lead=(marked("The account's device no longer gets this action."),),
            submit=marked("Delete"),
            subject=f"{known.key} {known.code}",
        )
