"""The members of contacts lists."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

from flexiapi.errors import FieldErrors, RecordNotFound
from flexiapi.model import Account, AccountOrder, AccountSelection, SortKey
from flexiapi.panel.admin.contacts_lists import LISTS
from flexiapi.panel.admin.office_endpoint import Number, OfficeEndpoint, RecordId, RemovalForm
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import MemberAdditionPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services.fields import SearchText, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

_BY_NAME = AccountOrder(SortKey.USERNAME)


class MemberSearch(Params):
    """A search for accounts."""

    search: SearchText | None = None


class MemberForm(Form):
    """New members of a contacts list."""

    submit: ClassVar[str] = marked("Add to the list")

    ids: Annotated[tuple[Number, ...], Input(marked("Found accounts"), kind="checkboxes")] = ()
    contact: Annotated[
        Text | None, Input(marked("SIP address"), hint=marked("Or a user name of the domain of this service"))
    ] = None
    search: Annotated[SearchText | None, Input("", kind="hidden")] = None

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Check that there is a member to add."""
        if not errors and not values.get("ids") and not values.get("contact"):
            errors["contact"] = ["contact is missing: enter an address, or search and tick accounts"]


class MemberAdditionEndpoint(OfficeEndpoint):
    """The addition of members to a contacts list."""

    path = f"{LISTS}/{{id}}/contacts/add"
    wanted: str | None = None

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId, params: MemberSearch) -> PageReply:
        """Show the form, with the accounts that a search finds."""
        del id
        self.wanted = params.search
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: MemberForm) -> PageReply:
        """Add the members; those that are on the list already stay."""
        ids = list(body.ids)
        if body.contact is not None:
            ids.append((await self.contacts.lists.by_address(body.contact, self.space)).id)
        added = await self.contacts.lists.add_contacts(id, ids, self.actor)
        return self.see_other(f"{LISTS}/{id}", Done.MEMBERS_ADDED, count=added)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        known = await self.contacts.lists.by_id(self.arguments["id"], self.space)
        typed = filled.values.get("search")
        search = typed if isinstance(typed, str) else self.wanted
        action = f"{LISTS}/{known.id}/contacts/add"
        found: tuple[Account, ...] = ()
        is_cut = False
        if search:
            page = await self.accounts.browsing.page(AccountSelection(None, text=search), _BY_NAME, self.space)
            members = set(known.contact_ids)
            found = tuple(account for account in page.accounts if account.id not in members)
            is_cut = page.following is not None or page.is_incomplete
        form = self.form(
            MemberForm,
            filled,
            action=f"{action}?{urlencode({'search': search})}" if search else action,
            initial={"search": search},
            choices={"ids": [Choice(str(one.id), one.address) for one in found]},
        )
        return self.panel_page(
            MemberAdditionPage(self.frame(marked("Add members")), form, known, search, found, is_cut)
        )


class MemberRemovalEndpoint(OfficeEndpoint):
    """The removal of a member from a contacts list."""

    path = f"{LISTS}/{{id}}/contacts/{{item}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId, item: RecordId) -> PageReply:
        """Show which member will be removed."""
        del id, item
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, item: RecordId, body: RemovalForm) -> PageReply:
        """Remove the member."""
        del body
        member = await self.contacts.lists.member(id, item, self.space)
        await self.contacts.lists.remove_contact(id, member.id, self.actor)
        return self.see_other(f"{LISTS}/{id}", Done.MEMBER_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        list_id = self.arguments["id"]
        member = await self.contacts.lists.member(list_id, self.arguments["item"], self.space)
        return self.removal_page(
            marked("Remove the member"),
            member.address,
            filled,
            action=f"{LISTS}/{list_id}/contacts/{member.id}/delete",
            back=f"{LISTS}/{list_id}",
            lead=[marked("Accounts that have the list no longer see this contact. Its own account stays.")],
        )
