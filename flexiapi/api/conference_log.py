"""The event log of a SIP server: conferences that it reports, at the paths that its client for them has."""

from typing import Annotated, Literal

from pydantic import Field

from flexiapi.api.event_log import EndReport, EventLogEndpoint
from flexiapi.api.segments import DeviceKey, PartyAddress, ReportId, required_party
from flexiapi.errors import ReportsRefused
from flexiapi.model import KeyScope, ReportedDevice, ReportedOutcome, ReportKind, SipReport
from flexiapi.services.calls import RecordId, ReportText, ReportTime
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

ParticipantEvent = Literal["added", "left", "removed"]
ParticipantDeviceEvent = Literal["invited", "joined", "left", "error"]


class ConferenceReport(Params):
    """A conference that was made."""

    id: RecordId
    created_at: ReportTime
    ended_at: Annotated[ReportTime | None, Field(description="time at which it ended")] = None
    schedule: Annotated[ReportText, Field(description="text about its times", examples=["2026-12-01"])] | None = None


class ParticipantReport(Params):
    """An event of a participant of a conference."""

    type: Annotated[ParticipantEvent, Field(description="what happened", examples=["added"])]
    at: ReportTime


class ParticipantDeviceReport(Params):
    """An event of a device of a participant."""

    type: Annotated[ParticipantDeviceEvent, Field(description="what happened", examples=["joined"])]
    at: ReportTime


class _ConferenceEvents(EventLogEndpoint):
    def note_event(self, report_id: str, participant: str, device_key: str, event: ReportedOutcome) -> None:
        """Keep an event of a conference. Raises `ReportsRefused`."""
        device = ReportedDevice(device_key, participant, event)
        self.note(SipReport(kind=ReportKind.CONFERENCE, id=report_id, receivers=(participant,), devices=(device,)))


class ReportedConferencesEndpoint(EventLogEndpoint):
    """Conferences that a SIP server reports."""

    path = "/api/stats/conferences"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def post(self, body: ConferenceReport) -> None:
        """Report a conference."""
        self.note(
            SipReport(
                kind=ReportKind.CONFERENCE,
                id=body.id,
                begun_at=body.created_at,
                ended_at=body.ended_at,
                schedule=body.schedule,
            )
        )


class ReportedConferenceEndpoint(EventLogEndpoint):
    """A conference that a SIP server reports."""

    path = "/api/stats/conferences/{report_id}"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def patch(self, report_id: ReportId, body: EndReport) -> None:
        """Report the end of a conference."""
        self.note(SipReport(kind=ReportKind.CONFERENCE, id=report_id, ended_at=body.ended_at))


class ReportedParticipantEndpoint(_ConferenceEvents):
    """A participant of a conference that a SIP server reports."""

    path = "/api/stats/conferences/{report_id}/participants/{party}/events"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def post(self, report_id: ReportId, party: PartyAddress, body: ParticipantReport) -> None:
        """Report what happened to a participant."""
        self.note_event(report_id, required_party(party), "", ReportedOutcome(body.at, body.type))


class ReportedParticipantDeviceEndpoint(_ConferenceEvents):
    """A device of a participant of a conference that a SIP server reports."""

    path = "/api/stats/conferences/{report_id}/participants/{party}/devices/{device_key}/events"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def post(
        self, report_id: ReportId, party: PartyAddress, device_key: DeviceKey, body: ParticipantDeviceReport
    ) -> None:
        """Report what happened to a device of a participant."""
        self.note_event(report_id, required_party(party), device_key, ReportedOutcome(body.at, body.type))


class ReportedConferencesAtStatisticsEndpoint(ReportedConferencesEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/conferences"


class ReportedConferenceAtStatisticsEndpoint(ReportedConferenceEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/conferences/{report_id}"


class ReportedParticipantAtStatisticsEndpoint(ReportedParticipantEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/conferences/{report_id}/participants/{party}/events"


class ReportedParticipantDeviceAtStatisticsEndpoint(ReportedParticipantDeviceEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/conferences/{report_id}/participants/{party}/devices/{device_key}/events"
