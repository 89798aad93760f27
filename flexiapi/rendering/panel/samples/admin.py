"""Samples of pages for administrators."""

from flexiapi.rendering.panel.frame import PanelPage

PAGES: tuple[PanelPage, ...] = ()
