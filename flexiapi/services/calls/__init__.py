"""Questions of a SIP server about accounts and calls, and its reports."""

from dataclasses import dataclass

from flexiapi.services.accounts import AccountServices
from flexiapi.services.calls.call_log import CALLS_A_PAGE, CallLog, CallPage, Grain, Span
from flexiapi.services.calls.event_log import EventLog
from flexiapi.services.calls.forwarding import CallForwardings, ForwardingValues, ShownForwarding
from flexiapi.services.calls.pushes import WakingPush, WakingPushes
from flexiapi.services.calls.reach import reach_of
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
from flexiapi.services.calls.resolution import ActingForwarding, Resolution, ResolvedAccount
from flexiapi.services.calls.served_domains import ServedDomains
from flexiapi.services.calls.voicemail import AnnouncedVoicemail, Voicemails
from flexiapi.services.calls.voicemail_mails import VoicemailNotices
from flexiapi.services.contacts import ContactServices
from flexiapi.services.ground import Ground

__all__ = [
    "CALLS_A_PAGE",
    "ActingForwarding",
    "AnnouncedVoicemail",
    "CallPage",
    "CallServices",
    "CalledDevices",
    "CalledParty",
    "ForwardingValues",
    "Grain",
    "Party",
    "Receivers",
    "RecordId",
    "ReportDay",
    "ReportText",
    "ReportTime",
    "ResolvedAccount",
    "ShownForwarding",
    "SipStatus",
    "Span",
    "Termination",
    "WakingPush",
    "build",
    "party_of",
    "reach_of",
]


@dataclass(frozen=True, slots=True)
class CallServices:
    """The services of this wing."""

    served_domains: ServedDomains
    resolution: Resolution
    forwarding: CallForwardings
    pushes: WakingPushes
    event_log: EventLog
    call_log: CallLog
    voicemails: Voicemails
    voicemail_notices: VoicemailNotices


def build(ground: Ground, accounts: AccountServices, contacts: ContactServices) -> CallServices:
    """Make the services of this wing."""
    voicemails = Voicemails(ground)
    return CallServices(
        served_domains=ServedDomains(ground),
        resolution=Resolution(ground, accounts.directory, accounts.forwarded_contacts),
        forwarding=CallForwardings(ground, accounts.directory, contacts.links),
        pushes=WakingPushes(ground),
        event_log=EventLog(ground),
        call_log=CallLog(ground),
        voicemails=voicemails,
        voicemail_notices=VoicemailNotices(ground, voicemails),
    )
