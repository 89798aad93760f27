"""The surroundings of every page of the panel: title, navigation, notes, look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.rendering.pages import HtmlPage
from flexiapi.rendering.panel.forms import FormView


@dataclass(frozen=True, slots=True)
class Visitor:
    """The account of the session, as `user@domain`."""

    address: str
    is_admin: bool
    is_limited: bool
    sign_out: FormView = field(repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A note about a change just made, in English; `count` stands for `{count}` in it."""

    text: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages to choose from, tag and own name, and the tag of that of the page."""

    form: FormView = field(repr=False)
    offered: Sequence[tuple[str, str]]
    current: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The surroundings of a page.

    Attributes:
        title: English title, which is also the heading.
        nonce: of the Content-Security-Policy, for the stylesheet in the page.
        root: path of the panel, put before every link; empty unless a front server removes one from requests.
        place: path of the page, without the root.
        hue: of the colours, in degrees.
        logo: path of the picture beside the name, `None` without one.
        stylesheet: path of the stylesheet; a page without a session has it inside.
        script: path of the script.
        visitor: the signed-in account.
        note: about a change just made.
        menu: the entries of the navigation, path and English text.
        languages: the languages to choose from; `None` if there is one only.
    """

    title: str
    nonce: str = field(repr=False)
    root: str
    place: str
    hue: int
    logo: str | None
    stylesheet: str
    script: str
    visitor: Visitor | None = None
    note: Note | None = None
    menu: Sequence[tuple[str, str]] = ()
    languages: Languages | None = None


@dataclass(frozen=True, slots=True)
class PanelPage(HtmlPage):
    """A page of the panel, rendered from the template `panel/NAME.html`."""

    folder: ClassVar[str] = "panel"

    frame: Frame


@dataclass(frozen=True, slots=True)
class FormLink:
    """A link below a form: path below the root, and English text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class FormPage(PanelPage):
    """A page that is a form, with paragraphs before it and links behind it."""

    name: ClassVar[str] = "form"

    form: FormView
    lead: Sequence[str] = ()
    links: Sequence[FormLink] = ()


@dataclass(frozen=True, slots=True)
class MessagePage(PanelPage):
    """A page that says one thing."""

    name: ClassVar[str] = "message"

    message: str
    links: Sequence[FormLink] = ()
