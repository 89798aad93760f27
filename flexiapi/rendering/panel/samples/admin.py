"""Samples of pages for administrators: types, contacts lists, external accounts, statistics, messages."""

from datetime import UTC, datetime, timedelta

from flexiapi.model import (
    Account,
    AccountsTotal,
    AccountType,
    Algorithm,
    ContactsList,
    CreationCount,
    PooledAccount,
)
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import (
    ContactsListPage,
    ContactsListsPage,
    CountedList,
    CountedType,
    ExternalAccountsPage,
    MemberAdditionPage,
    MessagesPage,
    PhoneCountriesPage,
    RemovalPage,
    StatisticsPage,
    TypesPage,
)
from flexiapi.rendering.panel.charts import StatisticsRow, chart_of, total_of
from flexiapi.rendering.panel.forms import Choice, FieldView, FormView
from flexiapi.rendering.panel.frame import FormLink, PanelPage
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME, TOKEN

AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
ACCOUNT = Account(
    id=12, username="alice.martin", domain="sip.example.org", created_at=AT, updated_at=AT, display_name="Alice"
)
FEW, MORE, VERY_MANY = AccountsTotal(3), AccountsTotal(10_000, is_more=True), AccountsTotal(None, is_more=True)

_LIST = ContactsList(3, "Building A", "All intercoms of the building", (12,))
_ROWS = [StatisticsRow(AT + timedelta(hours=one), CreationCount(one, one // 2, one // 3, 0)) for one in range(25)]
_DAYS = [StatisticsRow(AT + timedelta(days=one), CreationCount(one % 2, 0, one % 2, 0)) for one in range(8)]
_POOL = [
    PooledAccount(1, "outside1", "sip.example.com", "group", Algorithm.SHA_256, is_used=False),
    PooledAccount(2, "outside2", "sip.example.com", "group", Algorithm.SHA_256, is_used=True, account_id=12),
    PooledAccount(3, "outside3", "sip.example.com", "group", Algorithm.MD5, is_used=True, account_id=13),
    PooledAccount(4, "outside4", "sip.example.com", "", Algorithm.MD5, is_used=True),
]
_BACK = FormLink("/admin/accounts/types", marked("Go back without a change"))


def _additions(*found: Account) -> FormView:
    fields = (
        FieldView(
            "ids", marked("Found accounts"), "checkboxes", choices=[Choice(str(one.id), one.address) for one in found]
        ),
        FieldView("contact", marked("SIP address"), errors=["contact is no SIP address of an account"]),
        FieldView("search", "", "hidden", value="alice"),
    )
    return FormView("/admin/contacts_lists/3/contacts/add?search=alice", TOKEN, marked("Add to the list"), fields)


PAGES: tuple[PanelPage, ...] = (
    RemovalPage(
        FRAME,
        FormView("/admin/accounts/types/3/delete", TOKEN, marked("Delete"), is_dangerous=True),
        "intercom",
        [marked("It is removed from all accounts that have it. The accounts stay.")],
        _BACK,
    ),
    TypesPage(
        FRAME,
        [
            CountedType(AccountType(1, "intercom"), FEW),
            CountedType(AccountType(2, "phone"), MORE),
            CountedType(AccountType(3, "watch"), VERY_MANY),
        ],
    ),
    TypesPage(FRAME, []),
    ContactsListsPage(FRAME, [CountedList(_LIST, FEW)]),
    ContactsListsPage(FRAME, []),
    ContactsListPage(FRAME, _LIST, [ACCOUNT], FEW, is_first=True, following=12),
    ContactsListPage(FRAME, _LIST, [], FEW, is_first=False),
    ContactsListPage(FRAME, _LIST, [], FEW),
    MemberAdditionPage(FRAME, _additions(ACCOUNT), _LIST, "alice", [ACCOUNT], is_cut=True),
    MemberAdditionPage(FRAME, _additions(), _LIST, "alice"),
    ExternalAccountsPage(FRAME, _POOL, {12: ACCOUNT}, 3, 1, "used", is_first=False, following=4, are_taken=True),
    ExternalAccountsPage(FRAME, [], {}, 0, 0),
    StatisticsPage(FRAME, "day", _ROWS, chart_of(_ROWS, "%H"), total_of(_ROWS)),
    StatisticsPage(FRAME, "week", _DAYS, chart_of(_DAYS, "%d"), total_of(_DAYS)),
    MessagesPage(FRAME, FORM),
    MessagesPage(FRAME, None),
    PhoneCountriesPage(FRAME, FORM, ["France (+33)"]),
    PhoneCountriesPage(FRAME, FORM, []),
)
