"""The pool of external accounts. All spaces share it, so it is for those who operate the server."""

from typing import Annotated, Literal

from pydantic import Field

from flexiapi.errors import ExternalAccountUsed, RecordNotFound
from flexiapi.model import Algorithm
from flexiapi.panel.admin.office_endpoint import ListingPlace, OfficeEndpoint, RecordId, RemovalForm, of_operators
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import ExternalAccountsPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services import fields
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_POOL = "/admin/external_accounts"
_HASHES = (Choice("SHA-256", marked("SHA-256")), Choice("MD5", marked("MD5, for old programs")))


class PoolQuery(ListingPlace):
    """The part of the pool to show."""

    state: Annotated[Literal["used", "free"], Field(description="only those that are used, or free")] | None = None


class ExternalAccountForm(Form):
    """An account of another server."""

    submit = marked("Add to the pool")

    username: Annotated[fields.ExternalName, Input(marked("User name"), hint=marked("On the other server"))]
    domain: Annotated[fields.Domain, Input(marked("Domain"), hint=marked("That of the other server"))]
    password: Annotated[
        fields.Text,
        Field(max_length=128),
        Input(
            marked("Password"),
            kind="password",
            hint=marked("Only its hash is stored. Phones sign in at the other server by it."),
        ),
    ]
    algorithm: Annotated[
        fields.Algorithm,
        Input(marked("Hash of the password"), kind="select", choices=_HASHES),
    ] = Algorithm.SHA_256
    group: Annotated[fields.Key | None, Input(marked("Group"), hint=marked("Lower-case letters, digits, - and _"))] = (
        None
    )


class ExternalAccountsEndpoint(PanelEndpoint):
    """The pool."""

    path = _POOL

    @endpoint(Access.ADMIN, hidden=True, requires=of_operators)
    async def get(self, params: PoolQuery) -> PageReply:
        """Show the pool."""
        externals = self.accounts.external_accounts
        used = None if params.state is None else params.state == "used"
        shown = await externals.pool(self.space, params.after or 0, used=used)
        counts = await externals.counts()
        page = ExternalAccountsPage(
            self.frame(marked("External accounts")),
            shown.accounts,
            shown.owners,
            *counts,
            state=params.state or "",
            is_first=params.after is None,
            following=shown.following,
            are_taken=self.settings.account.consume_external_account_on_create,
        )
        return self.panel_page(page)


class ExternalAccountAdditionEndpoint(OfficeEndpoint):
    """A further external account."""

    path = f"{_POOL}/create"

    @endpoint(Access.ADMIN, hidden=True, requires=of_operators)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(Access.ADMIN, hidden=True, requires=of_operators)
    async def post(self, body: ExternalAccountForm) -> PageReply:
        """Add the account to the pool."""
        await self.accounts.external_accounts.add_one(
            body.username, body.domain, body.password, body.algorithm, body.group or "", self.actor
        )
        return self.see_other(_POOL, Done.EXTERNAL_ADDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        form = self.form(ExternalAccountForm, filled, action=self.path)
        lead = [marked("Many at once come from a file, by the command flexiapi accounts import-externals.")]
        return self.form_page(marked("Add an external account"), form, _POOL, lead)


class ExternalAccountRemovalEndpoint(OfficeEndpoint):
    """The removal of a free external account."""

    path = f"{_POOL}/{{id}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, ExternalAccountUsed), hidden=True, requires=of_operators)
    async def get(self, id: RecordId) -> PageReply:
        """Show what will be removed."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, ExternalAccountUsed), hidden=True, requires=of_operators)
    async def post(self, id: RecordId, body: RemovalForm) -> PageReply:
        """Remove it from the pool."""
        del body
        await self.accounts.external_accounts.remove(id, self.actor)
        return self.see_other(_POOL, Done.EXTERNAL_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        known = await self.accounts.external_accounts.free(self.arguments["id"])
        return self.removal_page(
            marked("Remove the external account"),
            known.address,
            filled,
            action=f"{_POOL}/{known.number}/delete",
            back=_POOL,
            lead=[marked("It leaves the pool, so no account gets it. On the other server it stays.")],
        )
