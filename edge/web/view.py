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
    "EntranceRow",
    "FactRow",
    "FloorView",
    "HeatRow",
    "HeroView",
    "LeavingView",
    "MarkRow",
    "MoodRow",
    "NoticeRow",
    "PicturesRow",
    "PicturesView",
    "QueueRow",
    "SalesRow",
    "TickRow",
    "UseRow",
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
class TickRow:
    """A mark below the chart; most hours have none, so that those that have one have room."""

    text: str


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart and its words; without a caption it is hidden. `scale` stands at the top and the bottom."""

    caption: str
    summary: str
    scale: str
    bars: tuple[BarRow, ...]
    ticks: tuple[TickRow, ...]


@dataclass(frozen=True, slots=True)
class HeroView:
    """A figure to be seen from across the room; without `detail` the shop has nothing set up for it."""

    figure: str
    detail: str


@dataclass(frozen=True, slots=True)
class EntranceRow:
    """One entrance; `place` names its cameras."""

    name: str
    place: str
    entered: str
    left: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue; `unit` says what `waiting` counts."""

    name: str
    place: str
    waiting: str
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class UseRow:
    """An area, a shop window or a path: how many, what else is known, and its share (0 to 100) of the busiest."""

    name: str
    place: str
    count: str
    detail: str
    width: str


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A name on a heat map, in its own units."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One camera's heat map: SVG paths of the cells of each level, fewest people first, and of what stands around."""

    name: str
    summary: str
    level_1: str
    level_2: str
    level_3: str
    level_4: str
    outlines: str
    marks: tuple[MarkRow, ...]


@dataclass(frozen=True, slots=True)
class FloorView:
    """What happened between the doors. `no_areas` says what to do where nothing is set up."""

    queues: tuple[QueueRow, ...]
    areas: tuple[UseRow, ...]
    windows: tuple[UseRow, ...]
    paths: tuple[UseRow, ...]
    no_paths: str
    paths_why: str
    no_areas: str
    heat: tuple[HeatRow, ...]
    heat_why: str


@dataclass(frozen=True, slots=True)
class PicturesRow:
    """What became of one camera's pictures, per minute."""

    name: str
    received: str
    analysed: str
    spared: str
    superseded: str


@dataclass(frozen=True, slots=True)
class PicturesView:
    """What became of the pictures; without `why` there is no account of any. `none` says that none came lately."""

    cameras: tuple[PicturesRow, ...]
    none: str
    why: str


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
    occupancy_detail: str
    waiting: HeroView
    capture: HeroView
    sales: tuple[SalesRow, ...]
    no_sales: str
    conversion: str
    hours: ChartView
    chart: ChartView
    entrances: tuple[EntranceRow, ...]
    no_entrances: str
    company: str
    drift: str
    floor: FloorView
    zones: tuple[ZoneRow, ...]
    no_zones: str
    mood: tuple[MoodRow, ...]
    mood_average: str
    devices: tuple[DeviceRow, ...]
    devices_summary: str
    pictures: PicturesView
    leaving: LeavingView
    box: BoxView
