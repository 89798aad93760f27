"""Pages of the panel about the phones of an account: those that are registered, and links that set one up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


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

    `form` sends a push. `message` is `None` without a way to send messages, `is_known` False without a registrar;
    `failure` is what it said.
    """

    name: ClassVar[str] = "user/devices"

    form: FormView
    message: FormView | None
    devices: Sequence[PhoneLine]
    is_known: bool = True
    failure: str | None = None


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
