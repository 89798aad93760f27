"""Samples of pages for the owner of an account."""

from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import ADDRESS, FRAME
from flexiapi.rendering.panel.user import DashboardPage

PAGES: tuple[PanelPage, ...] = (DashboardPage(FRAME, ADDRESS),)
