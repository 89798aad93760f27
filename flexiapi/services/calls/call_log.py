"""The event log as people read it: the calls of an account, and numbers by hour, day and month."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flexiapi.errors import FieldErrors
from flexiapi.model import Account, CallCount, MessageCount, ReportedCall, Space
from flexiapi.services.ground import Ground

CALLS_A_PAGE = 30
MOST_PERIODS = 1000

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MONTHS = 12


class Grain(StrEnum):
    """The periods that are counted."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    @property
    def form(self) -> str:
        """The format of the names of periods for `strftime`."""
        return {Grain.HOUR: "%Y-%m-%d %H", Grain.DAY: "%Y-%m-%d", Grain.MONTH: "%Y-%m"}[self]

    def beginning(self, moment: datetime) -> datetime:
        """Return the beginning of the period of a moment."""
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if self is Grain.HOUR:
            return hour
        day = hour.replace(hour=0)
        return day if self is Grain.DAY else day.replace(day=1)

    def next(self, beginning: datetime) -> datetime:
        """Return the beginning of the next period. Raises `OverflowError` or `ValueError` after the year 9999."""
        if self is Grain.MONTH:
            over = beginning.month == _MONTHS
            return beginning.replace(year=beginning.year + over, month=1 if over else beginning.month + 1)
        return beginning + (_HOUR if self is Grain.HOUR else _DAY)

    def before(self, until: datetime) -> datetime:
        """Return the usual beginning of numbers until a moment: a day of hours, a month of days, a year of months."""
        days = {Grain.HOUR: 1, Grain.DAY: 30, Grain.MONTH: 365}[self]
        return until - days * _DAY


@dataclass(frozen=True, slots=True)
class Span:
    """The time from `since` until just before `until`, by periods."""

    since: datetime
    until: datetime
    grain: Grain

    def periods(self) -> Iterator[datetime]:
        """Return the beginnings of the periods."""
        at = self.grain.beginning(self.since)
        while at < self.until:
            yield at
            at = self.grain.next(at)


@dataclass(frozen=True, slots=True)
class CallPage:
    """A page of calls, the newest first."""

    number: int
    last: int
    total: int
    calls: Sequence[ReportedCall]


class CallLog:
    """Calls and numbers, from the event log."""

    def __init__(self, ground: Ground) -> None:
        self._listings = ground.store.sip_reports.listings
        self._removals = ground.store.sip_reports.removals
        self._clock = ground.clock
        self.is_kept = ground.settings.statistics.days > 0

    async def of(self, account: Account, number: int) -> CallPage:
        """Return a page of the calls from and to an account."""
        found = await self._listings.calls_of(account.id, (number - 1) * CALLS_A_PAGE, CALLS_A_PAGE)
        last = max(1, -(-found.total // CALLS_A_PAGE))
        return CallPage(number, last, found.total, found.calls)

    async def clear(self, age: timedelta, *, apply: bool) -> int:
        """Count, or remove, the records that were first reported earlier. Return their number."""
        before, removals = self._clock.now() - age, self._removals
        return await (removals.clear_before(before) if apply else removals.count_before(before))

    async def span_faults(self, values: Mapping[str, Any]) -> FieldErrors:
        """Return what is wrong with the values `from`, `to` and `by`."""
        try:
            span = self.span(values.get("from"), values.get("to"), values.get("by", Grain.DAY))
            for place, _ in enumerate(span.periods()):
                if place >= MOST_PERIODS:
                    return {"from": [f"from makes more than {MOST_PERIODS} periods"]}
        except (OverflowError, ValueError):
            return {"from": ["from and to must be times of this age"]}
        return {} if span.since < span.until else {"from": ["from must be before to"]}

    def span(self, since: date | None, until: date | None, grain: Grain) -> Span:
        """Return the time that is asked for. A day means all of it; unset, the end is now."""
        now = self._clock.second()
        end = now + timedelta(seconds=1) if until is None else _moment(until)
        if until is not None and not isinstance(until, datetime):
            end += _DAY
        return Span(grain.before(end) if since is None else _moment(since), end, grain)

    async def call_counts(self, span: Span, space: Space) -> Mapping[datetime, CallCount]:
        """Count the calls with a party in a domain that administrators of the space see, also for empty periods."""
        form = span.grain.form
        found = await self._listings.call_counts(space.reach, span.since, span.until, form)
        return {at: found.get(f"{at:{form}}", CallCount()) for at in span.periods()}

    async def message_counts(self, span: Span, space: Space) -> Mapping[datetime, MessageCount]:
        """Count the messages with a party in a domain that administrators of the space see."""
        form = span.grain.form
        found = await self._listings.message_counts(space.reach, span.since, span.until, form)
        return {at: found.get(f"{at:{form}}", MessageCount()) for at in span.periods()}


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
