"""The types of accounts."""

from typing import Annotated

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint, RecordId, RemovalForm
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import CountedType, TypesPage
from flexiapi.services.fields import Key
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_LIST = "/admin/accounts/types"


class TypeForm(Form):
    """A type."""

    submit = marked("Save")

    key: Annotated[Key, Input(marked("Key"), hint=marked("Lower-case letters, digits, - and _"))]


class TypesEndpoint(PanelEndpoint):
    """The list of types."""

    path = _LIST

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the types."""
        types = await self.accounts.types.all(self.space)
        counts = await self.accounts.overview.of_types([one.id for one in types], self.space)
        page = TypesPage(self.frame(marked("Types")), [CountedType(one, counts[one.id]) for one in types])
        return self.panel_page(page)


class TypeCreationEndpoint(OfficeEndpoint):
    """A new type."""

    path = f"{_LIST}/create"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(
        Access.ADMIN,
        hidden=True,
        checks=lambda exchange, values: exchange.accounts.types.faults(values, exchange.space),
    )
    async def post(self, body: TypeForm) -> PageReply:
        """Create the type."""
        await self.accounts.types.add(body.key, self.actor)
        return self.see_other(_LIST, Done.TYPE_CREATED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        return self.form_page(marked("Create a type"), self.form(TypeForm, filled, action=self.path), _LIST)


class TypeChangeEndpoint(OfficeEndpoint):
    """Another key for a type."""

    path = f"{_LIST}/{{id}}/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound,),
        hidden=True,
        checks=lambda exchange, values: exchange.accounts.types.faults(
            values, exchange.space, exchange.arguments["id"]
        ),
    )
    async def post(self, id: RecordId, body: TypeForm) -> PageReply:
        """Rename the type."""
        await self.accounts.types.rename(id, body.key, self.actor)
        return self.see_other(_LIST, Done.TYPE_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        known = await self.accounts.types.get(self.arguments["id"], self.space)
        form = self.form(TypeForm, filled, action=f"{_LIST}/{known.id}/edit", initial={"key": known.key})
        lead = [marked("Apps that look for the present key find it no longer on accounts of this type.")]
        return self.form_page(marked("Edit the type"), form, _LIST, lead)


class TypeRemovalEndpoint(OfficeEndpoint):
    """The removal of a type."""

    path = f"{_LIST}/{{id}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Show what will be removed."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: RemovalForm) -> PageReply:
        """Remove the type."""
        del body
        await self.accounts.types.remove(id, self.actor)
        return self.see_other(_LIST, Done.TYPE_DELETED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        known = await self.accounts.types.get(self.arguments["id"], self.space)
        return self.removal_page(
            marked("Delete the type"),
            known.key,
            filled,
            action=f"{_LIST}/{known.id}/delete",
            back=_LIST,
            lead=[marked("It is removed from all accounts that have it. The accounts stay.")],
        )
