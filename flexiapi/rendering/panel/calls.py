"""Pages of the panel about calls and messages that the SIP server reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from flexiapi.model import Account, CallCount, CallEnd, MessageCount, ReportedCall
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import AccountTab
from flexiapi.rendering.panel.charts import Chart
from flexiapi.rendering.panel.frame import PanelPage

_ENDS = {
    CallEnd.DECLINED: marked("declined"),
    CallEnd.DECLINED_ELSEWHERE: marked("declined"),
    CallEnd.CANCELED: marked("not answered"),
    CallEnd.ERROR: marked("not reached"),
}


class CallLine(NamedTuple):
    """A call as one of its parties sees it; `talked` is the time from answer to end, if it was answered and ended."""

    at: datetime
    is_outgoing: bool
    other: str
    state: str
    talked: timedelta | None
    devices: int

    @classmethod
    def of(cls, call: ReportedCall, account: Account) -> "CallLine":
        """Return the line of a call in the log of an account, which may have had another name then."""
        is_outgoing = call.sender == account.address or call.receiver != account.address
        other = call.receiver if is_outgoing else call.sender
        answered = call.answered_at
        talked = None if answered is None or call.ended_at is None else max(call.ended_at - answered, timedelta())
        return cls(call.begun_at, is_outgoing, other, _state(call), talked, len(call.devices))

    @property
    def seconds(self) -> str:
        """The talk as minutes and seconds."""
        whole = 0 if self.talked is None else int(self.talked.total_seconds())
        return f"{whole // 60}:{whole % 60:02}"


def _state(call: ReportedCall) -> str:
    if call.answered_at is not None:
        return marked("answered")
    ends = {one.outcome.state for one in call.devices if one.outcome is not None}
    for end, text in _ENDS.items():
        if end in ends:
            return text
    return marked("not answered")


@dataclass(frozen=True, slots=True)
class MyCallsPage(PanelPage):
    """One's own calls of a page; without `is_kept` none are kept."""

    name: ClassVar[str] = "user/calls"

    calls: Sequence[CallLine]
    number: int
    last: int
    total: int
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class CallsTab(AccountTab):
    """The calls of an account, as `MyCallsPage` has one's own."""

    name: ClassVar[str] = "admin/account_calls"

    calls: Sequence[CallLine]
    number: int
    last: int
    total: int
    is_kept: bool = True


class CallRow(NamedTuple):
    """The calls of one hour or day, which begins at this time."""

    at: datetime
    numbers: CallCount

    @property
    def values(self) -> tuple[int, ...]:
        """All calls, and those that were answered."""
        return (self.numbers.calls, self.numbers.answered)


class MessageRow(NamedTuple):
    """The messages of one hour or day, which begins at this time."""

    at: datetime
    numbers: MessageCount

    @property
    def values(self) -> tuple[int, ...]:
        """All messages, and those that a device took."""
        return (self.numbers.messages, self.numbers.delivered)


@dataclass(frozen=True, slots=True)
class ReportStatisticsPage(PanelPage):
    """Numbers of `calls` or `messages` in a period: `day`, `week` or `month`; without `is_kept` none are kept."""

    name: ClassVar[str] = "admin/report_statistics"

    kind: str
    period: str
    rows: Sequence[CallRow] | Sequence[MessageRow]
    chart: Chart
    total: int
    some: int
    is_kept: bool = True
