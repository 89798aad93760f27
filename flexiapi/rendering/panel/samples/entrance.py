"""Samples of pages that need no session."""

from flexiapi.rendering.panel.entrance import ConfirmPage, LoginPage
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import ENTRANCE, FORM, FRAME

PAGES: tuple[PanelPage, ...] = (
    LoginPage(ENTRANCE, FORM),
    LoginPage(ENTRANCE, FORM, registers=True, has_phone=True, command="flexiapi accounts create-admin first.admin"),
    ConfirmPage(FRAME, FORM),
    ConfirmPage(FRAME, FORM, has_password=False),
)
