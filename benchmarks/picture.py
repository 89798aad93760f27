"""The picture of published results, as SVG that is readable on a light and on a dark page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

Row = dict[str, Any]
_WIDTH, _LEFT, _RIGHT = 860, 230, 60
_LINE, _HEAD, _FOOT, _GAP = 26, 64, 40, 20
_BAR = 12
_MARKS = 11
_STYLE = """
  :root { --page: #ffffff; --ink: #1f2328; --dim: #59636e; --grid: #d1d9e0; --bar: #2f6fd0; --last: #b3541e; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #0d1117; --ink: #e6edf3; --dim: #9198a1; --grid: #3d444d; --bar: #5b9bf5; --last: #f0883e; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 15px; font-weight: 600; }
  .dim { fill: var(--dim); font-size: 12px; }
  .page { fill: var(--page); } .bar { fill: var(--bar); } .last { fill: var(--last); }
  .grid { stroke: var(--grid); } .one { stroke: var(--ink); } .goal { stroke: var(--ink); stroke-width: 2; }
  .spread { stroke: var(--ink); stroke-width: 1.5; }
"""


@dataclass(frozen=True)
class Axis:
    """A horizontal scale from 0 to `most`, or from `least`, with marks at every `step`."""

    most: float
    step: float
    least: float = 0.0

    def x(self, value: float) -> float:
        part = (min(max(value, self.least), self.most) - self.least) / (self.most - self.least)
        return round(_LEFT + part * (_WIDTH - _LEFT - _RIGHT), 1)

    def marks(self) -> list[float]:
        count = round((self.most - self.least) / self.step)
        return [round(self.least + number * self.step, 3) for number in range(count + 1)]


def axis_to(most: float, least: float = 0.0) -> Axis:
    """Return a scale that ends just above a value and has a dozen marks at most."""
    step = 0.25
    while (most - least) / step > _MARKS:
        step *= 2
    return Axis(least + (int((most - least) / step) + 1) * step, step, least)


def of_one_size(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of requests that have a ratio of requests/s, apart from those of the scale."""
    return [row for row in rows if row["measure"] == "requests/s" and "by" not in row]


def of_sizes(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of the sizes by endpoint, the smallest size first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("by") == "accounts":
            found.setdefault(row["endpoint"].rpartition(", ")[0], []).append(row)
    return found


def svg(rows: list[Row]) -> str:
    """Return the picture: ratios with their spread and goals, and the cost by number of accounts if that is known."""
    ratios, sizes = of_one_size(rows), of_sizes(rows)
    parts, top = _ratios(ratios), _height(len(ratios))
    if sizes:
        parts += _sizes(sizes, top + _GAP)
        top += _GAP + _height(len(sizes))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img" '
        'aria-label="Requests per second in proportion to a bare Tornado handler">'
    )
    page = f'<rect class="page" width="{_WIDTH}" height="{top}"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", page, *parts, "</svg>", ""])


def _height(lines: int) -> int:
    return _HEAD + lines * _LINE + _FOOT


def _ratios(rows: list[Row]) -> list[str]:
    most = max([1.0, *(max(row["spread"][1], row["goal"] or 0) for row in rows)])
    axis = axis_to(most)
    parts = _frame(axis, 0, len(rows), "Requests/s to the bare handler on Tornado's server", lambda mark: f"{mark:g}")
    parts.append(_text(_LEFT, 44, "bar: median; thin line: spread of the pairs; upright mark: goal", "dim"))
    for number, row in enumerate(rows):
        middle = _middle(0, number)
        low, high = (axis.x(value) for value in row["spread"])
        parts += [
            _text(_LEFT - 10, middle + 4, row["endpoint"], anchor="end"),
            _bar(axis.x(row["ratio"]), middle),
            _rule("spread", low, middle, high, middle),
            _text(_WIDTH - _RIGHT + 10, middle + 4, f"{row['ratio']:.2f}"),
        ]
        if row["goal"] is not None:
            goal = axis.x(row["goal"])
            parts.append(_rule("goal", goal, middle - 9, goal, middle + 9))
    return parts


def _sizes(sizes: dict[str, list[Row]], top: int) -> list[str]:
    most = max([1.25, *(row["cpu_to_first"] for rows in sizes.values() for row in rows)])
    axis = axis_to(most, least=0.5)
    smallest = next(iter(sizes.values()))[0]["accounts"]
    title = f"CPU per request of server and mongod, to that with {smallest:,} accounts"
    parts = _frame(axis, top, len(sizes), title, lambda mark: f"{mark:g}")
    first = next(iter(sizes.values()))
    for number, (row, kind) in enumerate(zip(first[1:], ("bar", "last"), strict=False)):
        at = _LEFT + number * 170
        parts += [_dot(kind, at + 5, top + 40), _text(at + 16, top + 44, f"{row['accounts']:,} accounts", "dim")]
    for number, (name, rows) in enumerate(sizes.items()):
        middle = _middle(top, number)
        parts.append(_text(_LEFT - 10, middle + 4, name, anchor="end"))
        for row, kind in zip(rows[1:], ("bar", "last"), strict=False):
            parts.append(_dot(kind, axis.x(row["cpu_to_first"]), middle))
        parts.append(_text(_WIDTH - _RIGHT + 10, middle + 4, f"{rows[-1]['cpu_to_first']:.2f}"))
    return parts


def _frame(axis: Axis, top: int, lines: int, title: str, label: Callable[[float], str]) -> list[str]:
    bottom = top + _HEAD + lines * _LINE
    parts = [_text(_LEFT, top + 24, title, "title")]
    for mark in axis.marks():
        x = axis.x(mark)
        parts += [
            _rule("one" if mark == 1 else "grid", x, top + _HEAD - 6, x, bottom),
            _text(x, bottom + 18, label(mark), "dim", "middle"),
        ]
    return parts


def _middle(top: int, number: int) -> float:
    return top + _HEAD + (number + 0.5) * _LINE


def _bar(end: float, middle: float) -> str:
    return f'<rect class="bar" x="{_LEFT}" y="{middle - _BAR / 2}" width="{round(end - _LEFT, 1)}" height="{_BAR}"/>'


def _dot(kind: str, x: float, y: float) -> str:
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="5"/>'


def _rule(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
