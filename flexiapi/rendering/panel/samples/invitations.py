"""Samples of pages about invitations."""

from datetime import UTC, datetime, timedelta

from flexiapi.model import Granted, Invitation
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.invitations import InvitationsPage, NewInvitationPage
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME

_AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
_OPEN = Invitation(1, "Building A", None, 20, 4, Granted((1,), (3,)), _AT, _AT + timedelta(days=7), 12)
_USED_UP = Invitation(2, "Bob", "bob@example.org", 1, 1, Granted(), _AT, _AT + timedelta(days=7))
_IMAGE, _TOKEN = "data:image/png;base64,AAAA", "NoPqRsTuVwXyZ"

PAGES: tuple[PanelPage, ...] = (
    InvitationsPage(FRAME, [], {}, {}),
    InvitationsPage(FRAME, [_OPEN, _USED_UP], {1: "intercom"}, {3: "Neighbours"}),
    NewInvitationPage(FRAME, FORM),
    NewInvitationPage(FRAME, None, _USED_UP, _TOKEN, f"https://example.org/register?token={_TOKEN}", _IMAGE),
    NewInvitationPage(FRAME, None, _OPEN, _TOKEN, "", _IMAGE),
)
