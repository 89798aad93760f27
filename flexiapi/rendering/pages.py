"""HTML pages with the variables of their templates. All also have `app_name`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.rendering.reference import ReferenceLife, ReferenceSection


@dataclass(frozen=True, slots=True)
class Page:
    """A page, rendered from the template `FOLDER/NAME.html`. The Content-Security-Policy allows its code by `nonce`."""

    folder: ClassVar[str] = "pages"
    name: ClassVar[str]

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
class DocumentationPage(Page):
    """The documentation of the API, for a server at `url`."""

    folder: ClassVar[str] = "docs"
    name: ClassVar[str] = "api"

    url: str
    sip_domain: str
    sections: Sequence[ReferenceSection]
    lives: Sequence[ReferenceLife]
