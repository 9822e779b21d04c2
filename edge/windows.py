"""Facts folded by time: which cell of which window a fact adds to.

A cell is (window start, metric, place, key). Folding only ever adds, so facts may arrive in any order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from edge.clock import epoch_s
from edge.facts import (
    AreaVisited,
    CameIn,
    ConsentDecided,
    Crossing,
    Fact,
    FloorFact,
    GroupEntered,
    HeatSeen,
    HeatTime,
    MoodGiven,
    PassedBy,
    PathTaken,
    QueueStood,
    QueueWaited,
    SaleMade,
    SizeAsked,
    StayEnded,
    StoreClosed,
    ZoneEntered,
)

__all__ = [
    "DURATIONS",
    "LOCAL_METRICS",
    "PEOPLE_METRICS",
    "Cell",
    "Increment",
    "Metric",
    "duration_key",
    "fold",
    "window_start_s",
]


class Metric(StrEnum):
    """What a cell counts."""

    VISITS = "visits"
    ZONE_ENTRIES = "zone_entries"
    AREA_VISITS = "area_visits"
    DWELL = "dwell"
    QUEUE_WAITS = "queue_waits"
    PATHS = "paths"
    CAPTURE = "capture"
    GROUPS = "groups"
    HEAT = "heat"
    MOOD = "mood"
    SIZES = "sizes"
    CONSENTS = "consents"
    SALES = "sales"
    QUEUE_TIME = "queue_time"
    HEAT_TIME = "heat_time"
    CLOSING_DRIFT = "closing_drift"


LOCAL_METRICS = frozenset({Metric.QUEUE_TIME, Metric.HEAT_TIME, Metric.CLOSING_DRIFT})
"""What never leaves the box: one visitor may change these by more than one, so the gate's noise would not hide him."""

PEOPLE_METRICS = frozenset(Metric) - LOCAL_METRICS - {Metric.SALES}
"""Counts of people: they leave through `privacy.release` only. Sales are the shop's own bookkeeping."""

DURATIONS = ("0-5", "5-15", "15-30", "30-60", "60-180", "180+")
"""Keys of the dwell and wait histograms, in seconds, each from its first number to below its second."""

_DURATION_EDGES = (5, 15, 30, 60, 180)
_LONGEST_QUEUE = 50
_LARGEST_GROUP = 4


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """Where a count lives. `key` splits the metric: in/out, a mood level, a size, currency and figure."""

    start_s: int
    metric: Metric
    place: str
    key: str


@dataclass(frozen=True, slots=True)
class Increment:
    """`amount` to add to `cell`; negative only for money and units that came back."""

    cell: Cell
    amount: int


def window_start_s(moment: datetime, *, length_s: int) -> int:
    """Start, in seconds since 1970 UTC, of the window of `length_s` that holds `moment`."""
    seconds = epoch_s(moment)
    return seconds - seconds % length_s


def duration_key(seconds: float) -> str:
    """The key among `DURATIONS` that holds `seconds`."""
    return DURATIONS[bisect_right(_DURATION_EDGES, seconds)]


def fold(facts: Iterable[Fact], *, length_s: int) -> list[Increment]:
    """Increments for `facts`, one per touched cell, in cell order; `length_s` is the local window."""
    totals: Counter[Cell] = Counter()
    for fact in facts:
        start_s = window_start_s(fact.occurred_at, length_s=length_s)
        for metric, place, key, amount in _parts(fact):
            totals[Cell(start_s, metric, place, key)] += amount
    return [Increment(cell, totals[cell]) for cell in sorted(totals)]


def _parts(fact: Fact) -> list[tuple[Metric, str, str, int]]:  # noqa: PLR0911  one for each fact
    match fact:
        case Crossing(camera=camera, line=line, direction=direction):
            return [(Metric.VISITS, f"{camera}/{line}", direction, 1)]
        case ZoneEntered(zone=zone):
            return [(Metric.ZONE_ENTRIES, zone, "entered", 1)]
        case MoodGiven(kiosk=kiosk, level=level):
            return [(Metric.MOOD, kiosk, str(level), 1)]
        case SizeAsked(garment=garment, size=size):
            return [(Metric.SIZES, garment, size, 1)]
        case ConsentDecided(purpose=purpose, decision=decision):
            return [(Metric.CONSENTS, purpose, decision, 1)]
        case StoreClosed(drift=drift):
            return [(Metric.CLOSING_DRIFT, "store", "people", drift)]
        case SaleMade():
            return _of_sale(fact)
        case _:
            return [_of_floor(fact)]


def _of_floor(fact: FloorFact) -> tuple[Metric, str, str, int]:  # noqa: PLR0911  one for each fact
    """What happened within a camera's view, away from its lines."""
    match fact:
        case AreaVisited(camera=camera, area=area):
            return Metric.AREA_VISITS, f"{camera}/{area}", "visited", 1
        case StayEnded(camera=camera, area=area, dwell_s=dwell_s):
            return Metric.DWELL, f"{camera}/{area}", duration_key(dwell_s), 1
        case QueueWaited(camera=camera, area=area, wait_s=wait_s):
            return Metric.QUEUE_WAITS, f"{camera}/{area}", duration_key(wait_s), 1
        case QueueStood(camera=camera, area=area, people=people, duration_ms=duration_ms):
            return Metric.QUEUE_TIME, f"{camera}/{area}", str(min(people, _LONGEST_QUEUE)), duration_ms
        case PathTaken(camera=camera, origin=origin, destination=destination):
            return Metric.PATHS, f"{camera}/{origin}", destination, 1
        case PassedBy(camera=camera, area=area):
            return Metric.CAPTURE, f"{camera}/{area}", "passed_by", 1
        case CameIn(camera=camera, area=area):
            return Metric.CAPTURE, f"{camera}/{area}", "came_in", 1
        case GroupEntered(camera=camera, line=line, people=people):
            size = str(people) if people < _LARGEST_GROUP else f"{_LARGEST_GROUP}+"
            return Metric.GROUPS, f"{camera}/{line}", size, 1
        case HeatSeen(camera=camera, column=column, row=row):
            return Metric.HEAT, camera, f"{column},{row}", 1
        case HeatTime(camera=camera, column=column, row=row, duration_ms=duration_ms):
            return Metric.HEAT_TIME, camera, f"{column},{row}", duration_ms
        case _:
            assert_never(fact)


_SALES_BY_KIND = {"sale": "sales", "return": "returns", "void": "voids", "cancelled": "cancelled"}


def _of_sale(sale: SaleMade) -> list[tuple[Metric, str, str, int]]:
    """Always how many, units, total and tax; the rest where there is any. What follows from them is derived on reading."""
    always = {
        _SALES_BY_KIND[sale.kind]: 1,
        "units": sale.units,
        "total_minor": sale.total_minor,
        "tax_minor": sale.tax_minor,
    }
    rest = [
        ("discount_minor", sale.discount_minor),
        ("returned_units", sale.returned_units),
        ("returned_minor", sale.returned_minor),
        *((f"{kind}_minor", amount) for kind, amount in sale.tenders),
    ]
    figures = [*always.items(), *((name, amount) for name, amount in rest if amount)]
    return [(Metric.SALES, sale.till, f"{sale.currency}/{name}", n) for name, n in figures]
