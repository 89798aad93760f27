"""Samples of pages about sessions."""

from datetime import UTC, datetime

from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import BUTTON, FORM, FRAME
from flexiapi.rendering.panel.sessions import EndSessionPage, SessionsPage, SessionView

_WHEN = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)


def _sample(browser: str | None, system: str | None, method: str, *, is_mine: bool = False) -> SessionView:
    return SessionView("5a87e667", browser, system, "192.0.2.7", method, _WHEN, _WHEN, _WHEN, is_mine=is_mine)


_MINE = _sample("Firefox", "Linux", "password", is_mine=True)
_OTHERS = (_sample("Chrome", None, "code"), _sample(None, "Android", "qr"), _sample(None, None, "invite"))

PAGES: tuple[PanelPage, ...] = (
    SessionsPage(FRAME, [_MINE], BUTTON),
    SessionsPage(FRAME, [_MINE, *_OTHERS], BUTTON),
    EndSessionPage(FRAME, FORM, _MINE),
    EndSessionPage(FRAME, FORM, _OTHERS[0]),
    EndSessionPage(FRAME, FORM, None),
)
