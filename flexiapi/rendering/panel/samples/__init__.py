"""Sample values of the templates of the panel, which `flexiapi check` renders."""

from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples import (
    accounts,
    admin,
    calls,
    entrance,
    invitations,
    named_keys,
    operation,
    sessions,
    surroundings,
    user,
    voicemail,
)

PANEL_PAGES: tuple[PanelPage, ...] = (
    *surroundings.PAGES,
    *entrance.PAGES,
    *user.PAGES,
    *sessions.PAGES,
    *voicemail.PAGES,
    *admin.PAGES,
    *operation.PAGES,
    *named_keys.PAGES,
    *invitations.PAGES,
    *accounts.PAGES,
    *calls.PAGES,
)
