"""Views of calls and of their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from flexiapi.api.views.accounts import Moment
from flexiapi.model import CallCount, MessageCount, ReportedCall, ReportedDevice


@dataclass(kw_only=True)
class CallDeviceView:
    """A called device; `id` is its place in the call, from 1 on."""

    id: int
    call_id: str
    device_id: str
    rang_at: Moment | None
    invite_terminated_at: Moment | None
    invite_terminated_state: str | None

    @classmethod
    def of(cls, call: ReportedCall, place: int, device: ReportedDevice) -> "CallDeviceView":
        """Return the view of a device."""
        ended = device.outcome
        return cls(
            id=place,
            call_id=call.id,
            device_id=device.device,
            rang_at=device.rang_at,
            invite_terminated_at=None if ended is None else ended.at,
            invite_terminated_state=None if ended is None else str(ended.state),
        )


@dataclass(kw_only=True)
class CallView:
    """A call from or to an account."""

    id: str
    from_username: str
    from_domain: str
    to_username: str
    to_domain: str
    initiated_at: Moment
    ended_at: Moment | None
    conference_id: str | None
    created_at: Moment
    updated_at: Moment
    devices: Sequence[CallDeviceView]

    @classmethod
    def of(cls, call: ReportedCall) -> "CallView":
        """Return the view of a call."""
        from_username, _, from_domain = call.sender.rpartition("@")
        to_username, _, to_domain = call.receiver.rpartition("@")
        return cls(
            id=call.id,
            from_username=from_username,
            from_domain=from_domain,
            to_username=to_username,
            to_domain=to_domain,
            initiated_at=call.begun_at,
            ended_at=call.ended_at,
            conference_id=call.conference_id,
            created_at=call.reported_at,
            updated_at=call.updated_at,
            devices=[CallDeviceView.of(call, place, one) for place, one in enumerate(call.devices, 1)],
        )


@dataclass(kw_only=True)
class CallCountView:
    """Numbers of calls in one period; `seconds` is the time between the answer and the end of those answered."""

    calls: int
    answered: int
    seconds: int

    @classmethod
    def of(cls, count: CallCount) -> "CallCountView":
        """Return the view of a period."""
        return cls(calls=count.calls, answered=count.answered, seconds=count.seconds)


@dataclass(kw_only=True)
class MessageCountView:
    """Numbers of messages in one period, and of those that a device of a receiver took."""

    messages: int
    delivered: int

    @classmethod
    def of(cls, count: MessageCount) -> "MessageCountView":
        """Return the view of a period."""
        return cls(messages=count.messages, delivered=count.delivered)
