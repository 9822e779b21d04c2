"""What stands on the page, word for word: the template writes it once, the script writes it again every two seconds.

Both take these same values, so server and browser cannot disagree. Strings are plain text; whoever puts them on the page
escapes them. Lengths are strings too: Python and JavaScript write the number 100.0 differently.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BarRow",
    "BoxView",
    "BudgetRow",
    "ChartView",
    "DeviceRow",
    "FactRow",
    "LeavingView",
    "LineRow",
    "MoodRow",
    "NoticeRow",
    "SalesRow",
    "View",
    "ZoneRow",
]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Something to look at; `level` is `warn` or `info`."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class BarRow:
    """One window: where its two bars stand (`edge.web.chart`) and what they say."""

    transform: str
    in_y: str
    in_height: str
    out_height: str
    label: str
    time: str
    entered: str
    left: str


@dataclass(frozen=True, slots=True)
class ChartView:
    """The chart and its words. `scale` stands at the top and the bottom."""

    caption: str
    summary: str
    scale: str
    bars: tuple[BarRow, ...]
    ticks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineRow:
    """One counting line."""

    name: str
    place: str
    entered: str
    left: str


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone; `width` is its share of the busiest, 0 to 100."""

    name: str
    entries: str
    width: str


@dataclass(frozen=True, slots=True)
class SalesRow:
    """One currency."""

    total: str
    detail: str


@dataclass(frozen=True, slots=True)
class MoodRow:
    """One mood button; `width` is its share of the most pressed, 0 to 100."""

    face: str
    word: str
    count: str
    width: str


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device; `state` picks the sign, `state_word` says it."""

    name: str
    kind: str
    state: str
    state_word: str
    detail: str


@dataclass(frozen=True, slots=True)
class FactRow:
    """A label and a value; `state` is `ok`, `trouble` or `idle` where a sign stands before it, else empty."""

    label: str
    value: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One metric's privacy budget; `width` is the part used, 0 to 100."""

    label: str
    text: str
    width: str


@dataclass(frozen=True, slots=True)
class LeavingView:
    """What leaves the shop."""

    why: str
    facts: tuple[FactRow, ...]
    budgets: tuple[BudgetRow, ...]


@dataclass(frozen=True, slots=True)
class BoxView:
    """How the box is doing."""

    facts: tuple[FactRow, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole page. An empty string or list hides its place."""

    title: str
    store_name: str
    date: str
    clock: str
    summary: str
    notices: tuple[NoticeRow, ...]
    visitors: str
    visitors_detail: str
    occupancy: str
    sales: tuple[SalesRow, ...]
    no_sales: str
    conversion: str
    chart: ChartView
    lines: tuple[LineRow, ...]
    no_lines: str
    zones: tuple[ZoneRow, ...]
    no_zones: str
    mood: tuple[MoodRow, ...]
    mood_average: str
    devices: tuple[DeviceRow, ...]
    devices_summary: str
    leaving: LeavingView
    box: BoxView
