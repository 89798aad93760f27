"""The event log of a SIP server: calls and messages that it reports.

Each path exists twice: under `/api/statistics/`, and under `/api/stats/`, which is the default of Flexisip.
"""

from typing import Annotated, Any

from pydantic import Field, create_model

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import DeviceKey, PartyAddress, ReportId, required_party
from flexiapi.errors import ReportsRefused
from flexiapi.model import KeyScope, ReportedDevice, ReportedOutcome, ReportKind, Scope, SipReport
from flexiapi.services.calls import (
    CalledDevices,
    CalledParty,
    Party,
    Receivers,
    RecordId,
    ReportText,
    ReportTime,
    SipStatus,
    Termination,
    reach_of,
)
from flexiapi.services.fields import Flag
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

# `from` cannot be the name of an attribute in a class statement.
_FROM: dict[str, Any] = {"from": (Party, ...)}
_Sent = create_model("_Sent", __base__=Params, **_FROM)


class MessageReport(_Sent):
    """A message that was sent."""

    id: RecordId
    to: Receivers = Field(default_factory=dict)
    sent_at: ReportTime
    encrypted: Annotated[Flag, Field(description="whether its text is encrypted from end to end")] = False
    conference_id: Annotated[ReportText, Field(description="the conference that it was sent to")] | None = None


class MessageDeviceReport(Params):
    """The answer of a device that a message was sent to."""

    last_status: SipStatus
    received_at: Annotated[ReportTime, Field(description="time of that answer")]


class CallReport(_Sent):
    """A call that began."""

    id: RecordId
    to: CalledParty
    devices: CalledDevices = Field(default_factory=tuple)
    initiated_at: ReportTime
    ended_at: Annotated[ReportTime | None, Field(description="time at which it ended")] = None
    conference_id: Annotated[ReportText, Field(description="the conference that is called")] | None = None


class CallDeviceReport(Params):
    """An event of a called device."""

    rang_at: Annotated[ReportTime | None, Field(description="time at which it began to ring")] = None
    invite_terminated: Annotated[Termination | None, Field(description="how its invitation ended")] = None


class EndReport(Params):
    """The end of a call or conference."""

    ended_at: ReportTime


class EventLogEndpoint(ApiEndpoint):
    """The base class of the endpoints that take reports."""

    @property
    def reach(self) -> Scope:
        """The domains whose calls and messages the caller may report."""
        return reach_of(self.identity, self.space, KeyScope.STATISTICS_WRITE)

    def note(self, report: SipReport) -> None:
        """Keep a report. Raises `ReportsRefused`."""
        self.calls.event_log.note(report, self.space, self.reach)


class ReportedMessagesEndpoint(EventLogEndpoint):
    """Messages that a SIP server reports."""

    path = "/api/stats/messages"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.STATISTICS_WRITE,
        keeps_accounts=True,
        raises=(ReportsRefused,),
        checks=lambda exchange, values: exchange.calls.event_log.faults(values, exchange.reach),
    )
    async def post(self, body: MessageReport) -> None:
        """Report a message."""
        self.note(
            SipReport(
                kind=ReportKind.MESSAGE,
                id=body.id,
                sender=getattr(body, "from"),
                receivers=tuple(body.to),
                begun_at=body.sent_at,
                conference_id=body.conference_id,
                is_encrypted=body.encrypted,
                devices=[one for devices in body.to.values() for one in devices],
            )
        )


class ReportedMessageDeviceEndpoint(EventLogEndpoint):
    """A receiver's device of a message that a SIP server reports."""

    path = "/api/stats/messages/{report_id}/to/{party}/devices/{device_key}"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def patch(
        self, report_id: ReportId, party: PartyAddress, device_key: DeviceKey, body: MessageDeviceReport
    ) -> None:
        """Report what a device answered to a message."""
        receiver = required_party(party)
        outcome = ReportedOutcome(body.received_at, body.last_status)
        device = ReportedDevice(device_key, receiver, outcome=outcome)
        self.note(SipReport(kind=ReportKind.MESSAGE, id=report_id, receivers=(receiver,), devices=(device,)))


class ReportedCallsEndpoint(EventLogEndpoint):
    """Calls that a SIP server reports."""

    path = "/api/stats/calls"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.STATISTICS_WRITE,
        keeps_accounts=True,
        raises=(ReportsRefused,),
        checks=lambda exchange, values: exchange.calls.event_log.faults(values, exchange.reach),
    )
    async def post(self, body: CallReport) -> None:
        """Report a call."""
        self.note(
            SipReport(
                kind=ReportKind.CALL,
                id=body.id,
                sender=getattr(body, "from"),
                receivers=(body.to,),
                begun_at=body.initiated_at,
                ended_at=body.ended_at,
                conference_id=body.conference_id,
                devices=body.devices,
            )
        )


class ReportedCallEndpoint(EventLogEndpoint):
    """A call that a SIP server reports."""

    path = "/api/stats/calls/{report_id}"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def patch(self, report_id: ReportId, body: EndReport) -> None:
        """Report the end of a call."""
        self.note(SipReport(kind=ReportKind.CALL, id=report_id, ended_at=body.ended_at))


class ReportedCallDeviceEndpoint(EventLogEndpoint):
    """A called device that a SIP server reports."""

    path = "/api/stats/calls/{report_id}/devices/{device_key}"

    @endpoint(Access.ADMIN, scope=KeyScope.STATISTICS_WRITE, keeps_accounts=True, raises=(ReportsRefused,))
    async def patch(self, report_id: ReportId, device_key: DeviceKey, body: CallDeviceReport) -> None:
        """Report that a device rings, or how its invitation ended."""
        device = ReportedDevice(device_key, rang_at=body.rang_at, outcome=body.invite_terminated)
        self.note(SipReport(kind=ReportKind.CALL, id=report_id, devices=(device,)))


class ReportedMessageDeviceAtStatisticsEndpoint(ReportedMessageDeviceEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/messages/{report_id}/to/{party}/devices/{device_key}"


class ReportedCallAtStatisticsEndpoint(ReportedCallEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/calls/{report_id}"


class ReportedCallDeviceAtStatisticsEndpoint(ReportedCallDeviceEndpoint):
    """The same at the path of the account manager's own statistics."""

    path = "/api/statistics/calls/{report_id}/devices/{device_key}"
