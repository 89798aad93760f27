"""Samples of pages about named API keys."""

from datetime import UTC, datetime, timedelta

from flexiapi.model import KeyScope, NamedKey
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.named_keys import KeyLine, NamedKeysPage, NewNamedKeyPage
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME

_AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
_LASTING = NamedKey(1, "Flexisip in Paris", (KeyScope.FLEXISIP,), _AT, last_used_at=_AT)
_ENDING = NamedKey(
    2,
    "Billing",
    (KeyScope.PUSH, KeyScope.ACCOUNTS_READ),
    _AT,
    account_id=12,
    expires_at=_AT + timedelta(days=365),
    idle_days=30,
)

PAGES: tuple[PanelPage, ...] = (
    NamedKeysPage(FRAME, []),
    NamedKeysPage(
        FRAME,
        [
            KeyLine(_LASTING, works=True),
            KeyLine(_ENDING, works=True, maker="alice.martin@sip.example.org"),
            KeyLine(_ENDING, works=False),
        ],
    ),
    NewNamedKeyPage(FRAME, FORM),
    NewNamedKeyPage(FRAME, None, _LASTING, "fxk_Zt5vN8eQmX2bR7cK1wY4sD9gH3jL6pA0uF8iO5aB", "https://example.org/api"),
)
