"""Calls, messages and conferences as the SIP server reports them: in pieces, in any order, some of them twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_REPORTED_DEVICES = 500
"""Devices, or events of a conference, that a record keeps."""

MOST_RECEIVERS = 200
"""Receivers of a message, or participants of a conference, that a record keeps."""


class ReportKind(StrEnum):
    """The kinds of records."""

    CALL = "calls"
    MESSAGE = "messages"
    CONFERENCE = "conferences"


class CallEnd(StrEnum):
    """The ways in which the invitation of a device ends."""

    ERROR = "error"
    DECLINED = "declined"
    CANCELED = "canceled"
    ACCEPTED_ELSEWHERE = "accepted_elsewhere"
    DECLINED_ELSEWHERE = "declined_elsewhere"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class ReportedOutcome:
    """A result and its time: a `CallEnd`, a SIP status, or the name of an event."""

    at: datetime
    state: str | int


@dataclass(frozen=True, slots=True)
class ReportedDevice:
    """A device of a call, a receiver's device of a message, or an event of a conference.

    Attributes:
        device: the key of the device; empty for an event of a participant.
        party: the address of its owner, empty for calls.
        event: what happened, for events of conferences. Together with `device` and `party` it names the record.
        rang_at: the first time that it rang.
        outcome: the newest result.
    """

    device: str
    party: str = ""
    event: ReportedOutcome | None = None
    rang_at: datetime | None = None
    outcome: ReportedOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipReport:
    """A piece of a record; what it does not tell is empty or `None`.

    Attributes:
        kind: the kind of the record.
        id: the SIP server's name of the record.
        sender: address of who calls or sends.
        receivers: addresses of who is called, is sent to, or takes part.
        begun_at: time of the invitation, the message or the conference.
        ended_at: time of the end.
        conference_id: the conference that a call or message belongs to.
        is_encrypted: whether a message is encrypted.
        schedule: text about the times of a conference.
        devices: the devices and events that it tells of.
    """

    kind: ReportKind
    id: str
    sender: str = ""
    receivers: Sequence[str] = ()
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    conference_id: str | None = None
    is_encrypted: bool | None = None
    schedule: str | None = None
    devices: Sequence[ReportedDevice] = ()

    @property
    def parties(self) -> tuple[str, ...]:
        """The addresses of all who take part."""
        return (*([self.sender] if self.sender else []), *self.receivers)

    @property
    def weight(self) -> int:
        """The memory that it takes, in pieces of at most a kilobyte or so."""
        return 1 + len(self.receivers) + len(self.devices)


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """A call as far as it is known. `reported_at` and `updated_at` are the times of the first and last report."""

    id: str
    sender: str
    receiver: str
    begun_at: datetime
    ended_at: datetime | None
    conference_id: str | None
    reported_at: datetime
    updated_at: datetime
    devices: Sequence[ReportedDevice]

    @property
    def answered_at(self) -> datetime | None:
        """The time at which the first device accepted."""
        ends = [one.outcome for one in self.devices if one.outcome is not None]
        return min((end.at for end in ends if end.state == CallEnd.ACCEPTED), default=None)


@dataclass(frozen=True, slots=True)
class ReportedMessage:
    """A message as far as it is known, without its text. `sender` is empty while only devices reported."""

    id: str
    sender: str
    receivers: Sequence[str]
    sent_at: datetime | None
    is_encrypted: bool | None
    conference_id: str | None
    devices: Sequence[ReportedDevice]


@dataclass(frozen=True, slots=True)
class ReportedConference:
    """A conference as far as it is known, with the events of one participant."""

    id: str
    begun_at: datetime | None
    ended_at: datetime | None
    schedule: str | None
    devices: Sequence[ReportedDevice]


@dataclass(frozen=True, slots=True)
class CallsFound:
    """Calls of one page, and how many there are in all."""

    total: int
    calls: Sequence[ReportedCall]


@dataclass(frozen=True, slots=True)
class CallCount:
    """Numbers of one period: calls, those that were answered, and the seconds between answer and end of these."""

    calls: int = 0
    answered: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class MessageCount:
    """Numbers of one period: messages, and those that a device of a receiver took."""

    messages: int = 0
    delivered: int = 0
