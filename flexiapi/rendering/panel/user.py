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
class PhoneLine:
    """A registered phone: its program and its own name, each perhaps empty.

    `is_here` says that the SIP server reaches it at the address of the browser.
    """

    uuid: str
    program: str
    device: str
    updated_at: datetime
    expires_at: datetime | None = None
    push: str | None = None
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class DevicesPage(PanelPage):
    """The phones that are registered now, and tests of them.

    `message` is `None` without a way to send messages, `is_known` False without a registrar; `failure` is what it said.
    """

    name: ClassVar[str] = "user/devices"

    push: FormView
    message: FormView | None
    devices: Sequence[PhoneLine]
    is_known: bool = True
    failure: str | None = None

    @property
    def form(self) -> FormView:
        """The form of which the page tells what was wrong."""
        return self.push


@dataclass(frozen=True, slots=True)
class RemoveDevicePage(PanelPage):
    """The question before a phone is removed."""

    name: ClassVar[str] = "user/remove_device"

    form: FormView
    device: PhoneLine


@dataclass(frozen=True, slots=True)
class LinkView:
    """A new link as text, as data URL of a QR code, and as link that opens the app on this device."""

    url: str = field(repr=False)
    image: str = field(repr=False)
    app_link: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchView:
    """The use of a link: when it was made and fetched, by which program, on which device, from which IP address."""

    made_at: datetime | None
    fetched_at: datetime
    program: str
    device: str
    address: str


@dataclass(frozen=True, slots=True)
class GivenLine:
    """An entry of a provisioning document: `value` is `None` for a secret, `label` an English text if there is one."""

    section: str
    name: str
    value: str | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ProvisionPage(PanelPage):
    """A link that sets up a phone.

    Attributes:
        link: the one just made.
        made_at: when the link that waits to be fetched was made; `None` without one.
        ends_at: when it ends.
        made_by: who made it, `admin` or `mail`; `None` is the account itself.
        fetch: the use of the last link that was fetched.
        content: what a phone is given; `failure` is why that cannot be said.
    """

    name: ClassVar[str] = "user/provision"

    form: FormView
    address: str
    link: LinkView | None = None
    made_at: datetime | None = None
    ends_at: datetime | None = None
    made_by: str | None = None
    fetch: FetchView | None = None
    content: Sequence[GivenLine] = ()
    failure: str | None = None


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
    """The contacts: those given directly, and those of lists; `count` is how many different ones there are."""

    name: ClassVar[str] = "user/contacts"

    direct: Sequence[ContactLine]
    groups: Sequence[ContactGroup]
    count: int


@dataclass(frozen=True, slots=True)
class DeletionPage(PanelPage):
    """The form that deletes the account; its name cannot be registered for `days` then, 0 is for ever."""

    name: ClassVar[str] = "user/deletion"

    form: FormView
    address: str
    days: int
