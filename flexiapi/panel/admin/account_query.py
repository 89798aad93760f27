"""The query of the page of accounts: filters, order, and place."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field

from flexiapi.model import AccountOrder, AccountSelection, SortKey
from flexiapi.panel.admin.days import Day
from flexiapi.panel.forms import Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services import fields

ACCOUNTS = "/admin/accounts"
"""The path of the page of accounts."""

_ANY = Choice("", marked("All"))

Number = Annotated[int, Field(ge=1, le=2**53)]


class AccountQuery(Form):
    """The query. It changes nothing, so it needs no token."""

    is_form: ClassVar[bool] = False
    submit = marked("Show")

    search: Annotated[
        fields.SearchText | None,
        Input(
            marked("Name, e-mail address or phone number"),
            kind="search",
        ),
    ] = None
    activated: Annotated[
        fields.Flag | None,
        Input(
            marked("Activated"),
            kind="select",
            choices=(_ANY, Choice("true", marked("Activated")), Choice("false", marked("Not activated"))),
        ),
    ] = None
    admin: Annotated[
        fields.Flag | None,
        Input(
            marked("Role"),
            kind="select",
            choices=(_ANY, Choice("true", marked("Administrators")), Choice("false", marked("Users"))),
        ),
    ] = None
    blocked: Annotated[
        fields.Flag | None,
        Input(
            marked("Block"),
            kind="select",
            choices=(_ANY, Choice("true", marked("Blocked")), Choice("false", marked("Not blocked"))),
        ),
    ] = None
    domain: Annotated[fields.Domain | None, Input(marked("Domain"))] = None
    contacts_list: Annotated[Number | None, Input(marked("Has the contacts list"), kind="select")] = None
    type: Annotated[Number | None, Input(marked("Type"), kind="select")] = None
    created_from: Annotated[Day, Input(marked("Created from"), kind="date")] = None
    created_to: Annotated[Day, Input(marked("Created until"), kind="date")] = None
    updated_date: Annotated[Day, Input(marked("Updated on"), kind="date")] = None
    sort: Annotated[Literal["id", "username", "updated", "created"], Input("", kind="hidden")] = "updated"
    direction: Annotated[Literal["asc", "desc"] | None, Input("", kind="hidden")] = None
    after: fields.Text | None = None
    before: fields.Text | None = None

    @property
    def selection(self) -> AccountSelection:
        """The accounts that are wanted."""
        return AccountSelection(
            domain=self.domain,
            activated=self.activated,
            admin=self.admin,
            blocked=self.blocked,
            text=self.search,
            contacts_list_id=self.contacts_list,
            type_id=self.type,
            created_from=_begin(self.created_from),
            created_until=_end(self.created_to),
            updated_from=_begin(self.updated_date),
            updated_until=_end(self.updated_date),
        )

    @property
    def order(self) -> AccountOrder:
        """The order of the accounts; names ascend by default, and times begin with the latest."""
        key = SortKey(self.sort)
        down = key is not SortKey.USERNAME if self.direction is None else self.direction == "desc"
        return AccountOrder(key, down)

    def link(self, **changes: str | None) -> str:
        """Return the query of another page with the same filters, with these parameters in place of the place."""
        given = self.model_dump(mode="json", exclude={"after", "before", "form_token", "current_password"})
        shown = {**{name: _shown(value) for name, value in given.items()}, **changes}
        if shown.get("sort") == "updated" and not shown.get("direction"):
            del shown["sort"]
        return urlencode({name: value for name, value in shown.items() if value not in (None, "")})

    @property
    def initial(self) -> Mapping[str, Any]:
        """The values for the form of the filters."""
        given = self.model_dump(mode="json", exclude={"after", "before"})
        return {name: _shown(value) for name, value in given.items() if value is not None}

    @property
    def path(self) -> str:
        """The path of the page with these filters."""
        query = self.link()
        return f"{ACCOUNTS}?{query}" if query else ACCOUNTS

    @property
    def is_filtered(self) -> bool:
        """True if not all accounts are wanted."""
        return self.selection != AccountSelection(None)


class AccountSearchForm(AccountQuery):
    """The filters as the page sends them: with the token of every form, and without a place."""

    is_form: ClassVar[bool] = True


def _begin(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _end(day: date | None) -> datetime | None:
    return None if day is None else _begin(day + timedelta(days=1))


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
