"""Pages of the panel about the server: its state at a glance, its backends, its settings, its spaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from flexiapi.model import Account, AccountsTotal, BackendState, Event, KnownBackend
from flexiapi.rendering.panel.admin import Budget
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.settings.shown import ShownTable


class Figure(NamedTuple):
    """A number with its English label, and the path of the page with what it counts."""

    label: str
    total: AccountsTotal
    path: str


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """The state of the server, for its operators.

    Attributes:
        backends: of mail, SMS and push.
        registrar: `none` is configured, it is `ok`, or `away`.
        replica: the same of the copy that the SIP server signs phones in by.
        reasons: why requests should not be sent to this process, by subject.
        budgets: those of SMS.
    """

    backends: Sequence[BackendState]
    registrar: str
    replica: str
    reasons: Mapping[str, str]
    budgets: Sequence[Budget]


@dataclass(frozen=True, slots=True)
class OverviewPage(PanelPage):
    """The state of the accounts and of the server at a glance.

    Attributes:
        figures: counts of accounts.
        events: the last changes, the latest first.
        accounts: the accounts that these name, by id.
        health: `None` for administrators of a domain that is not theirs to operate.
    """

    name: ClassVar[str] = "admin/overview"

    figures: Sequence[Figure]
    events: Sequence[Event]
    accounts: Mapping[int, Account]
    health: ServerHealth | None = None


@dataclass(frozen=True, slots=True)
class BackendsPage(PanelPage):
    """The backends that carry mails, SMS and pushes; `form` sends a test message, and is `None` without a backend."""

    name: ClassVar[str] = "admin/backends"

    form: FormView | None
    configured: Sequence[BackendState]
    installed: Sequence[KnownBackend]
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class SettingsPage(PanelPage):
    """The settings in force; with `only_changed` those that are not the defaults."""

    name: ClassVar[str] = "admin/settings"

    tables: Sequence[ShownTable]
    only_changed: bool = False


class ShownSpace(NamedTuple):
    """A space: its domain, the host of its requests, its settings, and how many accounts its domain has."""

    domain: str
    host: str
    url: str
    name: str
    registration: str
    panel_registration: str
    quota: int
    accounts: AccountsTotal


@dataclass(frozen=True, slots=True)
class SpacesPage(PanelPage):
    """The domains that have settings of their own, the default one first."""

    name: ClassVar[str] = "admin/spaces"

    spaces: Sequence[ShownSpace]
