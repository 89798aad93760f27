"""Pages of the panel about sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session.

    Attributes:
        id: names it in paths.
        browser: name of the browser, `None` if it is not known.
        system: name of its system, `None` if it is not known.
        ip: address that it was used from last.
        method: `password`, `code`, `qr` or `invite`.
        ends_at: end if it is not used any more.
        is_mine: it is that of the browser that shows the page.
    """

    id: str
    browser: str | None
    system: str | None
    ip: str
    method: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_mine: bool = False


@dataclass(frozen=True, slots=True)
class SessionsPage(PanelPage):
    """The sessions of the account, that of the browser first, which has the form that signs out."""

    name: ClassVar[str] = "user/sessions"

    sessions: Sequence[SessionView]
    sign_out: FormView = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndSessionPage(PanelPage):
    """A session, `None` for one that has ended meanwhile, and the form that ends it."""

    name: ClassVar[str] = "user/session_end"

    form: FormView
    session: SessionView | None
