"""Pages of the panel for the owner of an account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


class KeyTimes(Protocol):
    """The times of an API key."""

    @property
    def created_at(self) -> datetime:
        """Time of its making."""

    @property
    def last_used_at(self) -> datetime:
        """Time of its last use."""

    @property
    def ends_at(self) -> datetime:
        """Time at which it is over unless it is used."""

    @property
    def is_over(self) -> bool:
        """True if it no longer works."""


@dataclass(frozen=True, slots=True)
class DashboardPage(PanelPage):
    """The account at a glance.

    Attributes:
        address: `user@domain`.
        is_activated: it may be used.
        phones: how many phones are registered now; `None` without a registrar that tells.
        trouble: English text of the registrar's failure.
        set_up_at: when a phone was last set up by a link.
        email: its address; `waiting_email` waits for its code. The same of `phone`.
        has_password: it has one.
        key: the times of its API key.
        sessions: how many browsers are signed in.
        contacts: how many contacts it has.
        shows_devices: the page of phones is switched on.
    """

    name: ClassVar[str] = "user/dashboard"

    address: str
    is_activated: bool = True
    display_name: str | None = None
    phones: int | None = None
    trouble: str | None = None
    set_up_at: datetime | None = None
    email: str | None = None
    waiting_email: str | None = None
    phone: str | None = None
    waiting_phone: str | None = None
    has_password: bool = True
    key: KeyTimes | None = None
    sessions: int = 1
    contacts: int = 0
    shows_devices: bool = True


@dataclass(frozen=True, slots=True)
class ApiKeyPage(PanelPage):
    """The API key: `key` is shown once, after it was made. `state` has the times of the stored one.

    `unused_life` is how long a key lives that is not used, `longest_life` how long however it is used.
    """

    name: ClassVar[str] = "user/api_key"

    form: FormView
    state: KeyTimes | None
    key: str | None = field(repr=False)
    unused_life: timedelta
    longest_life: timedelta | None
    documentation: str


@dataclass(frozen=True, slots=True)
class AddressCodePage(PanelPage):
    """The code that was sent to a new address or number (`target`), until `ends_at`; `tries` are left."""

    name: ClassVar[str] = "user/address_code"

    form: FormView
    resend: FormView
    cancel: FormView
    target: str
    tries: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PasswordPage(PanelPage):
    """The form of a new password, with its least length; `refuses_common` says that common ones are refused."""

    name: ClassVar[str] = "user/password"

    form: FormView
    shortest: int
    refuses_common: bool


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A contact in a list."""

    address: str
    display_name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """A contacts list with its contacts."""

    title: str
    description: str
    contacts: Sequence[ContactLine]


@dataclass(frozen=True, slots=True)
class ContactsPage(PanelPage):
    """The contacts: those given directly, and those of lists; `count` is how many different ones there are.

    `cards` are the names of the first vCards that apps stored, of `count_of_cards`.
    """

    name: ClassVar[str] = "user/contacts"

    direct: Sequence[ContactLine]
    groups: Sequence[ContactGroup]
    count: int
    cards: Sequence[str] = ()
    count_of_cards: int = 0


@dataclass(frozen=True, slots=True)
class DeletionPage(PanelPage):
    """The form that deletes the account; its name cannot be registered for `days` then, 0 is for ever."""

    name: ClassVar[str] = "user/deletion"

    form: FormView
    address: str
    days: int
