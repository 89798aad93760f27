"""Pages of the panel on which administrators see and change accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple

from flexiapi.model import (
    Account,
    AccountsTotal,
    AccountType,
    ContactsList,
    Device,
    Event,
    NotedFetch,
    PanelSession,
)
from flexiapi.rendering.panel.call_forwarding import ForwardingLine
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import FormLink, PanelPage


class Column(NamedTuple):
    """A column that the accounts can be sorted by: English heading, link that sorts by it, and the present order."""

    text: str
    query: str
    sorted: str | None = None


@dataclass(frozen=True, slots=True)
class AccountListPage(PanelPage):
    """The accounts.

    Attributes:
        form: the filters, which are sent by GET.
        bulk: the form of what can be done with the chosen accounts.
        columns: the headings that sort, by `address`, `created` and `updated`.
        accounts: those of this page.
        total: how many match.
        first, previous, following, last: queries of other pages; `None` where there is none.
        export: query of the table with the same accounts.
        most_exported: how many accounts that has at most.
        is_filtered: not all accounts are wanted.
        is_incomplete: the search was cut short.
        is_lost: the page that was asked for could not be found, so this is the first one.
        shows_domain: the domain of an account says something.
    """

    name: ClassVar[str] = "admin/accounts"

    form: FormView
    bulk: FormView
    columns: Mapping[str, Column]
    accounts: Sequence[Account]
    total: AccountsTotal
    first: str
    previous: str | None
    following: str | None
    last: str | None
    export: str
    most_exported: int
    is_filtered: bool = False
    is_incomplete: bool = False
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class BulkConfirmPage(PanelPage):
    """The accounts that are about to be changed together, and the form that does it."""

    name: ClassVar[str] = "admin/bulk_confirm"

    form: FormView
    lead: str
    accounts: Sequence[Account]


class BulkResult(NamedTuple):
    """The outcome for one account: id, address if it exists, English reason why it was not changed."""

    account_id: int
    address: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class BulkResultsPage(PanelPage):
    """The outcomes for the chosen accounts; `changed` is the number of those that were changed."""

    name: ClassVar[str] = "admin/bulk_results"

    results: Sequence[BulkResult]
    changed: int


@dataclass(frozen=True, slots=True)
class AccountTab(PanelPage):
    """A page of one account; `is_mine` if it is that of the session."""

    account: Account
    is_mine: bool


@dataclass(frozen=True, slots=True)
class InformationTab(AccountTab):
    """The account with its types and call forwarding, and a form for the values that an administrator sets."""

    name: ClassVar[str] = "admin/account_information"

    form: FormView
    types: Sequence[AccountType]
    forwardings: Sequence[ForwardingLine] = ()


@dataclass(frozen=True, slots=True)
class ContactsTab(AccountTab):
    """Contacts of the account, and its contacts lists."""

    name: ClassVar[str] = "admin/account_contacts"

    contacts: Sequence[Account]
    lists: Sequence[ContactsList]


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A provisioning link: its URL and its QR code as a data URL."""

    url: str = field(repr=False)
    image: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProvisioningTab(AccountTab):
    """The provisioning link of the account, and what happened to the one before.

    Attributes:
        link: the link that can be used now, `None` without one.
        expires_at: when it expires; `None` if it does not.
        content: section, name and value of each entry that a phone is given; the value is `None` if it is secret.
        failure: the English reason why that is not known.
        fetches: the last fetches of links, each with the known problems of its program.
    """

    name: ClassVar[str] = "admin/account_provisioning"

    link: SetupLink | None
    expires_at: datetime | None
    content: Sequence[tuple[str, str, str | None]] = ()
    failure: str | None = None
    fetches: Sequence[tuple[NotedFetch, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True)
class DevicesTab(AccountTab):
    """The devices that are registered now; `failure` is the English reason why they are not known."""

    name: ClassVar[str] = "admin/account_devices"

    devices: Sequence[Device]
    failure: str | None = None


class AccountFinding(NamedTuple):
    """A reason that keeps an account from something, and advice about it. English texts."""

    topic: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class ActivityTab(AccountTab):
    """Findings about the account, pending codes, its sessions and its last changes."""

    name: ClassVar[str] = "admin/account_activity"

    findings: Sequence[AccountFinding]
    sessions: Sequence[PanelSession]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class AccountConfirmPage(PanelPage):
    """A page with a button that changes an account, or what belongs to it: `subject`, if it is not empty."""

    name: ClassVar[str] = "admin/account_confirm"

    form: FormView
    account: Account
    lead: Sequence[str]
    subject: str
    back: FormLink


@dataclass(frozen=True, slots=True)
class OneFormPage(PanelPage):
    """A page with a form about an account. `intro` are texts above the form, `lead` those in place of it."""

    name: ClassVar[str] = "admin/account_form"

    form: FormView
    account: Account
    back: FormLink
    lead: Sequence[str] = ()
    intro: Sequence[str] = ()
