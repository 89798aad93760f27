"""Questions of a SIP server about accounts and calls, and its reports."""

from dataclasses import dataclass

from flexiapi.services.calls.call_log import CALLS_A_PAGE, CallLog, CallPage, Grain, Span
from flexiapi.services.calls.event_log import EventLog
from flexiapi.services.calls.report_fields import (
    CalledDevices,
    CalledParty,
    Party,
    Receivers,
    RecordId,
    ReportDay,
    ReportText,
    ReportTime,
    SipStatus,
    Termination,
    party_of,
)
from flexiapi.services.calls.served_domains import ServedDomains
from flexiapi.services.ground import Ground

__all__ = [
    "CALLS_A_PAGE",
    "CallPage",
    "CallServices",
    "CalledDevices",
    "CalledParty",
    "Grain",
    "Party",
    "Receivers",
    "RecordId",
    "ReportDay",
    "ReportText",
    "ReportTime",
    "SipStatus",
    "Span",
    "Termination",
    "build",
    "party_of",
]


@dataclass(frozen=True, slots=True)
class CallServices:
    """The services of this wing."""

    served_domains: ServedDomains
    event_log: EventLog
    call_log: CallLog


def build(ground: Ground) -> CallServices:
    """Make the services of this wing."""
    return CallServices(served_domains=ServedDomains(ground), event_log=EventLog(ground), call_log=CallLog(ground))
