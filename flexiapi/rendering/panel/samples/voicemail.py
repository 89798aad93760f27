"""Sample values of the pages about voicemail."""

from datetime import UTC, datetime

from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME
from flexiapi.rendering.panel.voicemail import RemoveVoicemailPage, VoicemailPage, VoicemailRow

_WHEN = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)
_ID = "0b8e2f4c-51d6-93a7-c2e8-6f7a1d3b5c90"
_ROWS = (
    VoicemailRow(_ID, "bob@sip.example.org", _WHEN, 480_044, "/f/9d41f0a6/voicemail-20261101-090500.wav"),
    VoicemailRow(_ID, None, _WHEN, 1_048_576, None),
)

PAGES: tuple[PanelPage, ...] = (
    VoicemailPage(FRAME, [], 30),
    VoicemailPage(FRAME, _ROWS, 30),
    VoicemailPage(FRAME, _ROWS[:1], 1),
    RemoveVoicemailPage(FRAME, FORM, _ROWS[0]),
    RemoveVoicemailPage(FRAME, FORM, _ROWS[1]),
    RemoveVoicemailPage(FRAME, FORM, None),
)
