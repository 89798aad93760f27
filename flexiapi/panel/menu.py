"""The navigation of the panel."""

from collections.abc import Sequence

from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import Visitor

Entry = tuple[str, str]
"""A path below the root, and an English text."""

_USER: tuple[Entry, ...] = (
    ("/dashboard", marked("My account")),
    ("/provision", marked("Set up a phone")),
    ("/devices", marked("My phones")),
    ("/contacts", marked("My contacts")),
    ("/api_key", marked("API key")),
    ("/sessions", marked("Sessions")),
)
_ADMIN: tuple[Entry, ...] = ()


def menu_of(visitor: Visitor | None, *, shows_devices: bool) -> Sequence[Entry]:
    """Return the entries for a visitor: none without a session, and few before the account is confirmed."""
    if visitor is None or visitor.is_limited:
        return ()
    own = [entry for entry in _USER if shows_devices or entry[0] != "/devices"]
    return (*own, *(_ADMIN if visitor.is_admin else ()))
