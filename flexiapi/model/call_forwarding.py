"""Rules of call forwarding, one of each kind in an account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import unquote

from flexiapi.sip_address import user_and_domain


class ForwardingKind(StrEnum):
    """The calls that a rule forwards."""

    ALWAYS = "always"
    NO_ANSWER = "no_answer"
    BUSY = "busy"

    @property
    def excluded(self) -> frozenset["ForwardingKind"]:
        """The kinds that cannot be enabled together with this one: a rule for all calls leaves none to the others."""
        others = frozenset({ForwardingKind.NO_ANSWER, ForwardingKind.BUSY})
        return others if self is ForwardingKind.ALWAYS else frozenset({ForwardingKind.ALWAYS})


class ForwardingTarget(StrEnum):
    """The places that calls are forwarded to."""

    SIP_URI = "sip_uri"
    CONTACT = "contact"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class CallForwarding:
    """A rule of call forwarding. A `sip_uri` belongs to that target alone, and so does the id of a contact."""

    id: int
    type: ForwardingKind
    forward_to: ForwardingTarget
    enabled: bool
    created_at: datetime
    updated_at: datetime
    sip_uri: str | None = None
    contact_id: int | None = None

    @property
    def target(self) -> str | None:
        """`user@domain` in lower case of a rule to a SIP URI: what the SIP server asks for next."""
        parts = None if self.sip_uri is None else user_and_domain(self.sip_uri)
        return None if parts is None else f"{unquote(parts[0])}@{parts[1].partition(':')[0]}".lower()
