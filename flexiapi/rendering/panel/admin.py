"""Pages of the panel for administrators: types, contacts lists, external accounts, statistics, messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple

from flexiapi.model import Account, AccountsTotal, AccountType, AsContact, ContactsList, CreationCount, PooledAccount
from flexiapi.rendering.panel.charts import Chart, StatisticsRow
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import FormLink, PanelPage


@dataclass(frozen=True, slots=True)
class RemovalPage(PanelPage):
    """The button that removes something; `subject` is its name, and `back` leads away without a change."""

    name: ClassVar[str] = "admin/removal"

    form: FormView
    subject: str
    lead: Sequence[str]
    back: FormLink


class CountedType(NamedTuple):
    """A type, and how many accounts have it."""

    type: AccountType
    accounts: AccountsTotal


@dataclass(frozen=True, slots=True)
class TypesPage(PanelPage):
    """The types of accounts."""

    name: ClassVar[str] = "admin/types"

    types: Sequence[CountedType]


class CountedList(NamedTuple):
    """A contacts list, and how many accounts have it."""

    list: ContactsList
    accounts: AccountsTotal


@dataclass(frozen=True, slots=True)
class ContactsListsPage(PanelPage):
    """The contacts lists."""

    name: ClassVar[str] = "admin/contacts_lists"

    lists: Sequence[CountedList]


@dataclass(frozen=True, slots=True)
class ContactsListPage(PanelPage):
    """A contacts list with its members, page by page.

    Attributes:
        members: those of this page, by id.
        accounts: how many accounts have the list.
        is_first: whether it is the first page.
        following: the id after which the next page begins, if there is one.
    """

    name: ClassVar[str] = "admin/contacts_list"

    list: ContactsList
    members: Sequence[AsContact]
    accounts: AccountsTotal
    is_first: bool = True
    following: int | None = None


@dataclass(frozen=True, slots=True)
class MemberAdditionPage(PanelPage):
    """The addition of members to a contacts list: by SIP address, or of those that a search finds.

    Attributes:
        search: what was searched for; `None` before.
        found: the first accounts that it found.
        is_cut: there may be more.
    """

    name: ClassVar[str] = "admin/member_addition"

    form: FormView
    list: ContactsList
    search: str | None = None
    found: Sequence[Account] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ExternalAccountsPage(PanelPage):
    """The pool of external accounts, page by page.

    Attributes:
        accounts: those of this page, by number.
        owners: the accounts of ours that use them, by id.
        used, free: how many there are of each.
        state: `used` or `free` when only these are shown.
        is_first: whether it is the first page.
        following: the number after which the next page begins, if there is one.
        are_taken: each new account takes one.
    """

    name: ClassVar[str] = "admin/external_accounts"

    accounts: Sequence[PooledAccount]
    owners: Mapping[int, Account]
    used: int
    free: int
    state: str = ""
    is_first: bool = True
    following: int | None = None
    are_taken: bool = False


@dataclass(frozen=True, slots=True)
class StatisticsPage(PanelPage):
    """Accounts created in a period: `day`, `week` or `month`. The rows are hours for a day, else days."""

    name: ClassVar[str] = "admin/statistics"

    period: str
    rows: Sequence[StatisticsRow]
    chart: Chart
    total: CreationCount


@dataclass(frozen=True, slots=True)
class MessagesPage(PanelPage):
    """The form that sends a text message by SIP; without one the settings name no way to send it."""

    name: ClassVar[str] = "admin/messages"

    form: FormView | None


@dataclass(frozen=True, slots=True)
class PhoneCountriesPage(PanelPage):
    """The form that switches countries of phone numbers, and the names of those that are off."""

    name: ClassVar[str] = "admin/phone_countries"

    form: FormView
    refused: Sequence[str]


class Budget(NamedTuple):
    """A budget of SMS of a day: the prefix of its numbers, empty for all, and when it begins anew."""

    prefix: str
    used: int
    most: int
    ends_at: datetime | None
