"""Pages of the panel about invitations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.model import Invitation
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class InvitationsPage(PanelPage):
    """The invitations that are not over by time; types and lists have their names by id."""

    name: ClassVar[str] = "admin/invitations"

    invitations: Sequence[Invitation]
    types: Mapping[int, str]
    lists: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class NewInvitationPage(PanelPage):
    """The form that makes an invitation, or the one that was just made.

    Attributes:
        made: the invitation, with `token`, `link` and `image`, which are shown once.
        link: empty where people cannot register on a page.
        image: a QR code as a `data:` URL.
    """

    name: ClassVar[str] = "admin/new_invitation"

    form: FormView | None
    made: Invitation | None = None
    token: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    image: str = field(default="", repr=False)
