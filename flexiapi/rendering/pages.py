"""HTML pages with the variables of their templates. All also have `app_name`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.rendering.reference import ReferenceLife, ReferenceSection


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A page, rendered from the template `FOLDER/NAME.html`."""

    folder: ClassVar[str]
    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Page(HtmlPage):
    """A page that stands alone. The Content-Security-Policy allows its code by `nonce`."""

    folder: ClassVar[str] = "pages"

    nonce: str


@dataclass(frozen=True, slots=True)
class Captcha:
    """A CAPTCHA widget: its script, and the class of the element that it fills."""

    sitekey: str
    script_url: str
    widget_class: str


@dataclass(frozen=True, slots=True)
class CreationTokenCheckPage(Page):
    """The human check: a form that posts the request token, `csrf` and the captcha's answer to `action`."""

    name: ClassVar[str] = "creation_token_check"

    action: str
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    captcha: Captcha | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CreationTokenValidatedPage(Page):
    """The page after a successful human check; it sends people back to the app."""

    name: ClassVar[str] = "creation_token_validated"


@dataclass(frozen=True, slots=True)
class ErrorPage(Page):
    """The page that says why a request failed."""

    name: ClassVar[str] = "error"

    title: str
    message: str


@dataclass(frozen=True, slots=True)
class HomePage(Page):
    """The page of the root: what the server is for."""

    name: ClassVar[str] = "home"


@dataclass(frozen=True, slots=True)
class SetupPage(Page):
    """The page of a provisioning link: what it is for, as a QR code (`image`, a data URL) and as link for the app.

    Attributes:
        sip_address: `user@domain` of the account that the link sets up.
        url: the provisioning URL, which the app opens.
        app_link: the URL that opens the app; `None` without a button.
        resets_password: the app's visit sets a new password.
    """

    name: ClassVar[str] = "setup"

    sip_address: str
    url: str = field(repr=False)
    image: str = field(repr=False)
    app_link: str | None = field(repr=False)
    resets_password: bool = False


@dataclass(frozen=True, slots=True)
class DocumentationPage(Page):
    """The documentation of the API, for a server at `url`."""

    folder: ClassVar[str] = "docs"
    name: ClassVar[str] = "api"

    url: str
    sip_domain: str
    sections: Sequence[ReferenceSection]
    lives: Sequence[ReferenceLife]
