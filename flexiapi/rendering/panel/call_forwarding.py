"""Pages of the panel about call forwarding."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class ForwardingLine:
    """A rule of call forwarding.

    Attributes:
        type: the calls: `always`, `no_answer` or `busy`.
        forward_to: where they go: `sip_uri`, `contact` or `voicemail`.
        target: the address that calls go to, `None` for voicemail and for a contact that is gone.
        is_ended: the SIP server ends the calls of such a rule.
        switch: the button that switches it on or off; `None` for those who only look.
    """

    id: int
    type: str
    forward_to: str
    target: str | None = None
    is_enabled: bool = True
    is_ended: bool = False
    switch: FormView | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallForwardingPage(PanelPage):
    """The rules of one's own account; `may_add` while there is a type without a rule.

    `message` tells a failure, which may be about the field `about` with a label.
    """

    name: ClassVar[str] = "user/call_forwarding"

    rules: Sequence[ForwardingLine]
    may_add: bool = True
    message: str | None = None
    about: str = ""
    label: str = ""
