"""Bar charts as SVG: the places and sizes that the template draws, so that pages need no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from flexiapi.model import CreationCount

WIDTH = 760
HEIGHT = 260
_START = 44
_TOP = 12
_BOTTOM = 28
_STEPS = 4
_MOST_LABELS = 13
_FILLED = 0.8
_ROUND = (1, 2, 5, 10)


class StatisticsRow(NamedTuple):
    """The accounts created in one hour or day, which begins at this time."""

    at: datetime
    made: CreationCount

    @property
    def values(self) -> tuple[int, int, int]:
        """All accounts, those with a phone number, and the activated ones: the bars of the row."""
        return (self.made.accounts, self.made.with_phone, self.made.activated)


class ChartRow(Protocol):
    """The numbers of one hour or day, which begins at `at`: the bars of a group, at most three."""

    @property
    def at(self) -> datetime:
        """The beginning."""

    @property
    def values(self) -> Sequence[int]:
        """The numbers."""


class Bar(NamedTuple):
    """A bar; `kind` is its place in its group, such as 0 all, 1 with a phone number, 2 activated."""

    x: float
    y: float
    width: float
    height: float
    kind: int


class Tick(NamedTuple):
    """A label at an axis, at this place along it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart of groups of bars.

    Attributes:
        bars: those with a height.
        lines: the values of the vertical axis.
        labels: those of the horizontal axis: hours or days.
    """

    bars: Sequence[Bar]
    lines: Sequence[Tick]
    labels: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    start: int = _START
    base: int = HEIGHT - _BOTTOM


def total_of(rows: Sequence[StatisticsRow]) -> CreationCount:
    """Return the sum of all rows."""
    made = [row.made for row in rows]
    return CreationCount(
        sum(one.accounts for one in made),
        sum(one.with_phone for one in made),
        sum(one.activated for one in made),
        sum(one.activated_with_phone for one in made),
    )


def chart_of(rows: Sequence[ChartRow], form: str) -> Chart:
    """Return the chart of rows; `form` is the format of the labels for `strftime`."""
    highest = _round_up(max((max(row.values) for row in rows), default=0))
    tall, base = HEIGHT - _TOP - _BOTTOM, HEIGHT - _BOTTOM
    group = (WIDTH - _START) / max(1, len(rows))
    wide = group * _FILLED / max((len(row.values) for row in rows), default=1)
    bars = [
        _bar(_START + place * group + (1 - _FILLED) / 2 * group + kind * wide, wide, tall * value / highest, kind)
        for place, row in enumerate(rows)
        for kind, value in enumerate(row.values)
        if value
    ]
    steps = [step for step in range(_STEPS + 1) if highest * step % _STEPS == 0]
    lines = [Tick(round(base - tall * step / _STEPS, 2), str(highest * step // _STEPS)) for step in steps]
    every = math.ceil(len(rows) / _MOST_LABELS)
    labels = [
        Tick(round(_START + (place + 0.5) * group, 2), f"{row.at:{form}}")
        for place, row in enumerate(rows)
        if place % every == 0
    ]
    return Chart(bars, lines, labels)


def _bar(x: float, width: float, height: float, kind: int) -> Bar:
    """Return a bar that stands on the base. The lowest can still be seen."""
    seen = max(1, height)
    return Bar(round(x, 2), round(HEIGHT - _BOTTOM - seen, 2), round(width, 2), round(seen, 2), kind)


def _round_up(value: int) -> int:
    """Return the next number that is 1, 2, 5 or 10 times a power of ten, and at least 4, so that it has quarters."""
    if value <= _STEPS:
        return _STEPS
    power = int(10 ** int(math.log10(value)))
    return next(power * step for step in _ROUND if power * step >= value)
