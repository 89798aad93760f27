"""The navigation of the panel."""

from collections.abc import Sequence

from flexiapi.model import Space
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import Visitor
from flexiapi.settings import Settings

Entry = tuple[str, str]
"""A path below the root, and an English text."""

_USER: tuple[Entry, ...] = (
    ("/dashboard", marked("My account")),
    ("/provision", marked("Set up a phone")),
    ("/devices", marked("My phones")),
    ("/contacts", marked("My contacts")),
    ("/voicemail", marked("Voicemail")),
    ("/calls", marked("My calls")),
    ("/call_forwarding", marked("Call forwarding")),
    ("/api_key", marked("API key")),
    ("/sessions", marked("Sessions")),
)
_ADMIN: tuple[Entry, ...] = (
    ("/admin", marked("Overview")),
    ("/admin/accounts", marked("Accounts")),
    ("/admin/invitations", marked("Invitations")),
    ("/admin/accounts/types", marked("Types")),
    ("/admin/contacts_lists", marked("Contacts lists")),
    ("/admin/external_accounts", marked("External accounts")),
    ("/admin/statistics/day", marked("Statistics")),
    ("/admin/messages", marked("Messages")),
    ("/admin/phone_countries", marked("Phone countries")),
    ("/admin/api_keys", marked("API keys")),
    ("/admin/backends", marked("Backends")),
    ("/admin/settings", marked("Settings")),
    ("/admin/spaces", marked("Domains")),
)
# What concerns the whole server: not for administrators of a domain with a table of its own.
_OF_OPERATORS = frozenset({"/admin/external_accounts", "/admin/backends", "/admin/spaces"})


def menu_of(visitor: Visitor | None, settings: Settings, space: Space) -> Sequence[Entry]:
    """Return the entries for a visitor: none without a session, and few before the account is confirmed."""
    if visitor is None or visitor.is_limited:
        return ()
    hidden = set() if settings.panel.devices else {"/devices"}
    if not settings.voicemail.enabled:
        hidden.add("/voicemail")
    if not settings.statistics.days:
        hidden.add("/calls")
    if space.stored is not None:
        hidden |= _OF_OPERATORS
    if not settings.spaces:
        hidden.add("/admin/spaces")
    entries = (*_USER, *(_ADMIN if visitor.is_admin else ()))
    return [entry for entry in entries if entry[0] not in hidden]
