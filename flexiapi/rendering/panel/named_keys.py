"""Pages of the panel about named API keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from flexiapi.model import KeyScope, NamedKey
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage

SCOPES: Mapping[KeyScope, str] = {
    KeyScope.FLEXISIP: marked("flexisip: all calls of a Flexisip server. Includes statistics:write and push."),
    KeyScope.STATISTICS_WRITE: marked("statistics:write: report calls and messages to the event log."),
    KeyScope.PUSH: marked("push: send push notifications that wake phones."),
    KeyScope.ACCOUNTS_READ: marked(
        "accounts:read: read accounts, their contacts and statistics; no passwords, confirmation codes or tokens."
    ),
}
"""The scopes with their names, in the words of `KeyScope.description`, for the catalogues."""


class KeyLine(NamedTuple):
    """A key in the list: whether it works, and the address of the administrator who made it, empty for a command."""

    key: NamedKey
    works: bool
    maker: str = ""


@dataclass(frozen=True, slots=True)
class NamedKeysPage(PanelPage):
    """The named API keys."""

    name: ClassVar[str] = "admin/named_keys"

    keys: Sequence[KeyLine]


@dataclass(frozen=True, slots=True)
class NewNamedKeyPage(PanelPage):
    """The form that makes a key; with `key`, the key that was just made, which is shown once."""

    name: ClassVar[str] = "admin/new_named_key"

    form: FormView | None
    made: NamedKey | None = None
    key: str = field(default="", repr=False)
    url: str = ""
