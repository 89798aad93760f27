"""One change of many accounts, which an administrator has chosen."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from flexiapi.errors import ValidationFailed
from flexiapi.model import Account
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import BulkConfirmPage, BulkResult, BulkResultsPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.services import fields
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

Number = Annotated[int, Field(ge=1, le=2**53)]
_NUMBERS = TypeAdapter(tuple[Number, ...])
BulkChange = Literal["activate", "deactivate", "delete", "add_to_list"]

_CHANGES = (
    Choice("activate", marked("Activate")),
    Choice("deactivate", marked("Deactivate")),
    Choice("add_to_list", marked("Add to the contacts list")),
    Choice("delete", marked("Delete")),
)


class BulkForm(Form):
    """The chosen accounts, and what to do with them."""

    submit = marked("Do it for the chosen accounts")

    ids: Annotated[tuple[Number, ...], Input(marked("Accounts"), kind="checkboxes")] = ()
    change: Annotated[BulkChange, Input(marked("With the chosen accounts"), kind="select", choices=_CHANGES)]
    to_list: Annotated[Number | None, Input(marked("Contacts list"), kind="select")] = None
    is_sure: fields.Flag = False


class BulkEndpoint(FormEndpoint):
    """A change of all chosen accounts. A deletion is asked for once more."""

    path = "/admin/accounts/bulk"

    @endpoint(Access.ADMIN, hidden=True)
    async def post(self, body: BulkForm) -> PageReply:
        """Change the accounts, and show the outcome for each."""
        if body.change == "delete" and not body.is_sure:
            return await self._confirmation(body)
        outcomes = await self.accounts.bulk.each(body.ids, self.space, await self._act(body))
        results = [BulkResult(one.account_id, one.address, one.failure) for one in outcomes]
        changed = sum(one.failure is None for one in outcomes)
        return self.panel_page(BulkResultsPage(self.frame(marked("Chosen accounts")), results, changed))

    async def _act(self, body: BulkForm) -> Callable[[Account], Awaitable[object]]:
        accounts, actor = self.accounts, self.actor
        if body.change == "activate":
            return lambda account: accounts.administration.activate(account.id, actor)
        if body.change == "deactivate":
            return lambda account: accounts.administration.deactivate(account.id, actor)
        if body.change == "delete":
            return lambda account: accounts.removal.remove(account, actor)
        if body.to_list is None:
            raise ValidationFailed({"to_list": [marked("Choose the contacts list.")]})
        known = await self.contacts.lists.by_id(body.to_list, self.space)
        return lambda account: self.contacts.lists.add_contact(known.id, account.id, actor)

    async def _confirmation(self, body: BulkForm) -> PageReply:
        chosen = await self.accounts.bulk.selected(body.ids, self.space)
        form = self.form(BulkForm, action=self.path)
        form = replace(form, submit=marked("Delete these accounts"), is_dangerous=True)
        lead = marked("They are removed with their contacts, actions, sessions and links. That cannot be undone.")
        return self.panel_page(BulkConfirmPage(self.frame(marked("Delete accounts")), form, lead, chosen))

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page that says what was wrong."""
        lists = await self.contacts.lists.all(self.space)
        choices = {"to_list": [Choice("", "-"), *(Choice(str(one.id), one.title) for one in lists)]}
        try:
            wanted = _NUMBERS.validate_python(filled.values.get("ids", ()))
            chosen = await self.accounts.bulk.selected(wanted, self.space)
        except (ValidationError, ValidationFailed):
            chosen = []
        choices["ids"] = [Choice(str(account.id), account.address) for account in chosen]
        form = self.form(BulkForm, filled, action=self.path, choices=choices)
        links = [FormLink("/admin/accounts", marked("All accounts"))]
        return self.panel_page(FormPage(self.frame(marked("Chosen accounts")), form, links=links))
