"""Numbers of accounts created in the last day, week and month."""

import calendar
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from flexiapi.model import CreationCount, Space
from flexiapi.services.clock import Clock
from flexiapi.store import Store

_NONE = CreationCount(0, 0, 0, 0)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Period(StrEnum):
    """The time before now that is counted."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Statistics:
    """Counts of the accounts that administrators see."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, period: Period, space: Space) -> Mapping[str, CreationCount]:
        """Count the accounts of the space created in the last period, by hour for a day, else by day.

        Empty hours and days are included. The keys are like `2026-11-25 07` or `2026-11-25`.
        """
        now = self._clock.now()
        since = _start(period, now)
        form, step = ("%Y-%m-%d %H", _HOUR) if period is Period.DAY else ("%Y-%m-%d", _DAY)
        made = await self._store.listings.creations(space.reach, since, form)
        return {key: made.get(key, _NONE) for key in _keys(since, now, form, step)}


def _start(period: Period, now: datetime) -> datetime:
    if period is Period.DAY:
        return now - _DAY
    if period is Period.WEEK:
        return now - 7 * _DAY
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    return now.replace(year=year, month=month, day=min(now.day, calendar.monthrange(year, month)[1]))


def _keys(since: datetime, until: datetime, form: str, step: timedelta) -> Iterator[str]:
    last = f"{until:{form}}"
    while (key := f"{since:{form}}") <= last:
        yield key
        since += step
