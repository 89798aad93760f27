"""Pages of the panel that need no session."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.rendering.pages import Captcha
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import FormLink, FormPage, PanelPage


@dataclass(frozen=True, slots=True)
class LoginPage(PanelPage):
    """The sign-in form.

    Attributes:
        registers: people may register.
        has_phone: people may recover their account by phone.
        command: the command that makes the first administrator; `None` when there is one.
    """

    name: ClassVar[str] = "login"

    form: FormView
    registers: bool = False
    has_phone: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmPage(PanelPage):
    """The form that asks for the password once more; for an account without one, the button that sends a code."""

    name: ClassVar[str] = "confirm"

    form: FormView
    has_password: bool = True
    sends_code: bool = False


@dataclass(frozen=True, slots=True)
class CheckedFormPage(FormPage):
    """A form for people who have no session, with the captcha if the settings have one."""

    name: ClassVar[str] = "entrance/checked_form"

    captcha: Captcha | None = None


@dataclass(frozen=True, slots=True)
class SignUpPage(CheckedFormPage):
    """The form that creates an account, with the pages that its boxes accept."""

    name: ClassVar[str] = "entrance/sign_up"

    terms_url: str | None = None
    privacy_url: str | None = None


@dataclass(frozen=True, slots=True)
class CodePage(PanelPage):
    """The page of a new account, which waits for its code.

    Attributes:
        address: `user@domain` of the account.
        sent_to: the address or number that the code went to; empty for an account without any.
        form: the form for the code.
        again: the form that asks for another code.
        cancel: the form that gives the account up; `None` for one that an administrator made.
        tries_left: how many tries the code has left; `None` for a code that needs no limit.
        wait_seconds: how long another code cannot be asked for.
    """

    name: ClassVar[str] = "entrance/code"

    address: str
    sent_to: str
    form: FormView
    again: FormView
    cancel: FormView | None
    tries_left: int | None = None
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True)
class RecoveryCodePage(PanelPage):
    """The page for the code of a recovery, the same for unknown accounts.

    Attributes:
        sent_to: the address or number that was asked for.
        form: the form for the code.
        again: the form that asks for another code.
        is_linked: the code came in the link of a message, and is filled in.
    """

    name: ClassVar[str] = "entrance/recovery_code"

    sent_to: str
    form: FormView
    again: FormView
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class AccountFormPage(PanelPage):
    """A form that is about one account, `address`, between paragraphs and links. It serves password managers too."""

    name: ClassVar[str] = "entrance/account_form"

    address: str
    form: FormView
    lead: Sequence[str] = ()
    links: Sequence[FormLink] = ()


@dataclass(frozen=True, slots=True)
class QrPage(PanelPage):
    """The QR code of a browser that asks to be signed in.

    Attributes:
        image: the QR code as a `data:` URL; empty once another device has let the browser in.
        number: what the person compares on the other device.
        poll: path that tells whether the browser is let in.
        form: the form that signs in.
        host: `user@domain` of the account that lets the browser in, `None` while none does.
    """

    name: ClassVar[str] = "entrance/qr"

    image: str = field(repr=False)
    number: int
    poll: str = field(repr=False)
    form: FormView
    host: str | None = None


@dataclass(frozen=True, slots=True)
class LetInPage(PanelPage):
    """The page on which a signed-in person lets another browser in.

    Attributes:
        browser, system: the usual names of what asks; `None` for what is not known.
        ip: its network address.
        asked_at: when it asked.
        form: the numbers to choose from.
        refuse: the form that ends the request.
    """

    name: ClassVar[str] = "entrance/let_in"

    browser: str | None
    system: str | None
    ip: str
    form: FormView
    refuse: FormView


@dataclass(frozen=True, slots=True)
class HandOverPage(PanelPage):
    """A QR code that signs in the device that opens it, and the same as a link; without an image, only the form."""

    name: ClassVar[str] = "entrance/hand_over"

    form: FormView
    image: str = field(default="", repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ManualPage(PanelPage):
    """The user manual: each page of the panel and its purpose."""

    name: ClassVar[str] = "entrance/manual"

    registers: bool = False
    has_phone: bool = False
    has_devices: bool = False


@dataclass(frozen=True, slots=True)
class AboutPage(PanelPage):
    """The program, its version, and the components that it is made of: name, version, licence."""

    name: ClassVar[str] = "entrance/about"

    version: str
    components: Sequence[tuple[str, str, str]] = ()
