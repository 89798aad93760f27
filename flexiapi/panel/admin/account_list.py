"""The accounts, page by page, and as a table for other programs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from flexiapi.errors import ApiError, FreshCheckRequired, ValidationFailed
from flexiapi.model import SortKey
from flexiapi.panel.admin.account_bulk import BulkForm
from flexiapi.panel.admin.account_query import ACCOUNTS, AccountQuery, AccountSearchForm
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import AccountListPage, Column
from flexiapi.rendering.panel.forms import Choice, FormView
from flexiapi.rendering.tables import csv_table
from flexiapi.services.accounts import MOST_EXPORTED, BrowsedAccounts, CursorInvalid
from flexiapi.web.browser_steps import ADMIN_MINUTES
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Operation
from flexiapi.web.replies import Answer, Csv, PageReply

# What a sign-in remembers as the way back is limited, too.
_LONGEST_QUERY = 800
_SORTED = {
    "username": marked("Address"),
    "created": marked("Created"),
    "updated": marked("Updated"),
    "id": marked("Number"),
}
_EXPORTED = (
    *("id", "username", "domain", "display_name", "email", "phone"),
    *("activated", "blocked", "admin", "language", "created_at", "updated_at"),
)


class AccountQueryEndpoint(FormEndpoint):
    """The base class of the page and the table of accounts."""

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the failure as a page of its own."""
        return self.failed(error, is_secret=operation.secret)

    async def browsed(self, query: AccountQuery) -> tuple[BrowsedAccounts, bool]:
        """Return the accounts of the page that is asked for, or the first ones and True if it cannot be found."""
        browsing, wanted, order = self.accounts.browsing, query.selection, query.order
        try:
            page = await browsing.page(wanted, order, self.space, after=query.after, before=query.before)
        except CursorInvalid:
            return await browsing.page(wanted, order, self.space), True
        return page, False

    async def filters(self, filled: Filled, query: AccountQuery) -> FormView:
        """Return the form with the filters."""
        lists, types = await self.contacts.lists.all(self.space), await self.accounts.types.all(self.space)
        nothing = Choice("", marked("All"))
        choices = {
            "contacts_list": [nothing, *(Choice(str(one.id), one.title) for one in lists)],
            "type": [nothing, *(Choice(str(one.id), one.key) for one in types)],
        }
        form = self.form(AccountSearchForm, filled, action=f"{ACCOUNTS}/search", initial=query.initial, choices=choices)
        hidden = {name for name, some in choices.items() if len(some) == 1}
        hidden |= set() if self.space.may_name_domains else {"domain"}
        # Of filters it goes without saying that they are optional.
        shown = [replace(one, is_required=True) for one in form.fields if one.name not in hidden]
        return replace(form, fields=shown)


class AccountPageEndpoint(AccountQueryEndpoint):
    """The base class of the endpoints that show the page of accounts."""

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page without the filters that are wrong.

        Raises `FreshCheckRequired`: a form that fails before that check would show accounts without it.
        """
        if not self.sign_in.sessions.is_confirmed(self.signed_in, timedelta(minutes=ADMIN_MINUTES)):
            raise FreshCheckRequired
        return await self.listed(AccountQuery(), filled)

    async def listed(self, query: AccountQuery, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the accounts of a query."""
        found, is_lost = await self.browsed(query)
        previous, following = found.previous, found.following
        page = AccountListPage(
            self.frame(marked("Accounts")),
            await self.filters(filled, query),
            await self._bulk(),
            {key: _column(text, SortKey(key), query) for key, text in _SORTED.items()},
            found.accounts,
            found.total,
            first=query.link(),
            previous=query.link(before=previous) if previous else None,
            following=query.link(after=following) if following else None,
            last=query.link(before="end") if following else None,
            export=query.link(),
            most_exported=MOST_EXPORTED,
            is_filtered=query.is_filtered,
            is_incomplete=found.is_incomplete,
            is_lost=is_lost,
        )
        return self.panel_page(page)

    async def _bulk(self) -> FormView:
        lists = await self.contacts.lists.all(self.space)
        choices = {"to_list": [Choice("", "-"), *(Choice(str(one.id), one.title) for one in lists)]}
        return self.form(BulkForm, action="/admin/accounts/bulk", choices=choices)


class AccountListEndpoint(AccountPageEndpoint):
    """The page of accounts."""

    path = ACCOUNTS

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the page with the filters that are wrong. Other failures are not about filters."""
        if isinstance(error, ValidationFailed):
            return await FormEndpoint.explained(self, error, operation)
        return self.failed(error, is_secret=True)

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self, params: AccountQuery) -> PageReply:
        """Show accounts."""
        return await self.listed(params)


class AccountSearchEndpoint(AccountPageEndpoint):
    """The target of the filters, which leads to the page of the accounts that match."""

    path = f"{ACCOUNTS}/search"

    @property
    def here(self) -> str:
        """Path of the page with the filters as they were typed, to come back to after a sign-in."""
        try:
            typed = self._typed(AccountSearchForm)
        except ApiError:
            return ACCOUNTS
        given = {name: typed.get(name) for name in AccountSearchForm.inputs()}
        query = urlencode(
            {name: text for name, text in given.items() if isinstance(text, str) and text}, errors="replace"
        )
        return f"{ACCOUNTS}?{query}" if 0 < len(query) <= _LONGEST_QUERY else ACCOUNTS

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the page with what was wrong, or the way to a proof: a search has no field for a password."""
        return await FormEndpoint.explained(self, error, operation)

    @endpoint(Access.ADMIN, hidden=True)
    async def post(self, body: AccountSearchForm) -> PageReply:
        """Lead to the accounts that match."""
        return self.see_other(body.path)


def _column(text: str, key: SortKey, query: AccountQuery) -> Column:
    order = query.order
    if order.key is not key:
        return Column(text, query.link(sort=key, direction=None))
    direction = "asc" if order.descending else "desc"
    return Column(text, query.link(sort=key, direction=direction), "descending" if order.descending else "ascending")


class AccountExportEndpoint(AccountQueryEndpoint):
    """The accounts as CSV."""

    path = "/admin/accounts.csv"

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the page that says why there is no table."""
        del operation
        return self.failed(error, is_secret=True)

    @endpoint(Access.ADMIN, hidden=True, secret=True)
    async def get(self, params: AccountQuery) -> Csv:
        """Return the first accounts of a query, in its order, at most 10,000."""
        rows = [
            [_cell(getattr(account, name)) for name in _NAMES]
            async for account in self.accounts.browsing.first(params.selection, params.order, self.space)
        ]
        name = f"accounts-{datetime.now(UTC):%Y-%m-%d}.csv"
        return Csv(csv_table(_EXPORTED, rows), [("Content-Disposition", f'attachment; filename="{name}"')])


_NAMES = tuple({"blocked": "is_blocked", "admin": "is_admin"}.get(name, name) for name in _EXPORTED)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)
