"""Pages of the panel about voicemail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class VoicemailRow:
    """A voicemail.

    Attributes:
        id: names it in paths.
        caller: address of the caller, `None` if it is not known.
        size: number of bytes.
        path: path of the sound, `None` if it cannot be read.
    """

    id: str
    caller: str | None
    left_at: datetime
    size: int
    path: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class VoicemailPage(PanelPage):
    """The voicemails of the account, the newest first, and for how many days they are kept."""

    name: ClassVar[str] = "user/voicemail"

    voicemails: Sequence[VoicemailRow]
    days: int


@dataclass(frozen=True, slots=True)
class RemoveVoicemailPage(PanelPage):
    """A voicemail, `None` for one that is gone meanwhile, and the form that deletes it."""

    name: ClassVar[str] = "user/remove_voicemail"

    form: FormView = field(repr=False)
    voicemail: VoicemailRow | None
