"""A store day, and what it has counted so far: sums by metric, place and key."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from edge.clock import epoch_s
from edge.web.source import Source

__all__ = ["PlaceCounts", "StoreDay", "day_counts", "store_day"]

PlaceCounts = dict[tuple[str, str], int]
"""Sums of one metric by (place, key)."""


@dataclass(frozen=True, slots=True)
class StoreDay:
    """A calendar day of the shop and the seconds [start_s, end_s) it spans; 23 or 25 hours where clocks change."""

    day: date
    start_s: int
    end_s: int


def store_day(at: datetime, *, timezone: str) -> StoreDay:
    """The shop's own day that holds `at`."""
    zone = ZoneInfo(timezone)
    day = at.astimezone(zone).date()
    start, end = (datetime.combine(midnight, time(), tzinfo=zone) for midnight in (day, day + timedelta(days=1)))
    return StoreDay(day, epoch_s(start), epoch_s(end))


def day_counts(store: Source, day: StoreDay) -> dict[str, PlaceCounts]:
    """Today's sums by metric and (place, key). A window belongs to the day in which it began."""
    counts: dict[str, PlaceCounts] = defaultdict(dict)
    for row in store.rows(
        """SELECT metric, place, key, sum(value) AS value FROM windows WHERE start_s >= ? AND start_s < ?
           GROUP BY metric, place, key""",
        day.start_s,
        day.end_s,
    ):
        counts[row["metric"]][row["place"], row["key"]] = row["value"]
    return counts
