"""Facts folded by time: which cell of which window a fact adds to.

A cell is (window start, metric, place, key). Folding only ever adds, so facts may arrive in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge.clock import epoch_s
from edge.facts import Crossing, Fact, MoodGiven, SaleMade, SizeAsked, ZoneEntered

__all__ = ["PEOPLE_METRICS", "Cell", "Increment", "Metric", "fold", "window_start_s"]


class Metric(StrEnum):
    """What a cell counts."""

    VISITS = "visits"
    ZONE_ENTRIES = "zone_entries"
    MOOD = "mood"
    SIZES = "sizes"
    SALES = "sales"


PEOPLE_METRICS = frozenset({Metric.VISITS, Metric.ZONE_ENTRIES, Metric.MOOD, Metric.SIZES})
"""Counts of people: they leave through `privacy.release` only. Sales are the shop's own bookkeeping."""


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


def fold(facts: Iterable[Fact], *, length_s: int) -> list[Increment]:
    """Increments for `facts`, one per touched cell, in cell order; `length_s` is the local window."""
    totals: Counter[Cell] = Counter()
    for fact in facts:
        start_s = window_start_s(fact.occurred_at, length_s=length_s)
        for metric, place, key, amount in _parts(fact):
            totals[Cell(start_s, metric, place, key)] += amount
    return [Increment(cell, totals[cell]) for cell in sorted(totals)]


def _parts(fact: Fact) -> list[tuple[Metric, str, str, int]]:
    match fact:
        case Crossing(camera=camera, line=line, direction=direction):
            return [(Metric.VISITS, f"{camera}/{line}", direction, 1)]
        case ZoneEntered(zone=zone):
            return [(Metric.ZONE_ENTRIES, zone, "entered", 1)]
        case MoodGiven(kiosk=kiosk, level=level):
            return [(Metric.MOOD, kiosk, str(level), 1)]
        case SizeAsked(garment=garment, size=size):
            return [(Metric.SIZES, garment, size, 1)]
        case SaleMade() as sale:
            figures = {
                f"{sale.kind}s": 1,
                "units": sale.units,
                "total_minor": sale.total_minor,
                "tax_minor": sale.tax_minor,
            }
            return [(Metric.SALES, sale.till, f"{sale.currency}/{name}", n) for name, n in figures.items()]
