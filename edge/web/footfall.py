"""Reads who came and went: by entrance, by hour, lately, and how many are inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from edge.clock import epoch_s
from edge.occupancy import empty_since, read_inside
from edge.settings import Settings
from edge.web.counts import PlaceCounts, StoreDay
from edge.web.figures import ClosingDrift, EntranceFlow, Footfall, WindowCount
from edge.web.source import Source
from edge.windows import Metric, window_start_s

__all__ = ["CHART_WINDOWS", "read_footfall"]

CHART_WINDOWS = 60
"""How many local windows the chart shows, the present one included."""

_HOUR_S = 3600
_SIZES = {"1": 1, "2": 2, "3": 3, "4+": 4}


def read_footfall(
    settings: Settings, store: Source, counts: Mapping[str, PlaceCounts], *, day: StoreDay, at: datetime
) -> Footfall:
    """Today's visitors at `at`, over all entrances."""
    visits = counts.get(Metric.VISITS, {})
    empty = empty_since(at, closes_at=settings.store.closes_at, timezone=settings.store.timezone)
    entrances = tuple(_entrances(settings, visits))
    return Footfall(
        entered=sum(value for (_, key), value in visits.items() if key == "in"),
        left=sum(value for (_, key), value in visits.items() if key == "out"),
        occupancy=store.read(lambda sql: read_inside(sql, since_s=epoch_s(empty)), otherwise=0),
        empty_since=empty,
        closing_drift=_closing_drift(settings, store, empty=empty),
        is_counted=bool(entrances or visits),
        entrances=entrances,
        hours=tuple(_hours(store, day, at=at)),
        windows=tuple(_windows(store, length_s=settings.windows.local_s, at=at)),
        window_s=settings.windows.local_s,
        in_company_percent=_in_company(counts.get(Metric.GROUPS, {}), k=settings.privacy.k),
    )


def _entrances(settings: Settings, visits: PlaceCounts) -> Iterator[EntranceFlow]:
    """Entrances as set up, quiet ones too, then lines that counted today and have since gone from the settings."""
    doors: dict[str, list[str]] = {}
    staff = set()
    for camera in settings.cameras:
        for line in camera.lines:
            place = f"{camera.id}/{line.name}"
            if line.kind == "staff":
                staff.add(place)
            else:
                doors.setdefault(line.entrance or place, []).append(place)
    known = staff.union(*doors.values())
    for place, _ in visits:
        if place not in known:
            doors.setdefault(place, [place])
    for name, places in doors.items():
        yield EntranceFlow(
            name=name.partition("/")[2] or name,
            cameras=tuple(dict.fromkeys(place.partition("/")[0] for place in places)),
            entered=sum(visits.get((place, "in"), 0) for place in places),
            left=sum(visits.get((place, "out"), 0) for place in places),
        )


def _closing_drift(settings: Settings, store: Source, *, empty: datetime) -> ClosingDrift | None:
    """What the gateway wrote down when the shop last closed; None where it has no closing time, or was off then."""
    if settings.store.closes_at is None:
        return None
    rows = store.rows(
        "SELECT sum(value) FROM windows WHERE start_s = ? AND metric = ?",
        window_start_s(empty, length_s=settings.windows.local_s),
        Metric.CLOSING_DRIFT.value,
    )
    people = rows[0][0] if rows else None
    return None if people is None else ClosingDrift(empty, people)


def _hours(store: Source, day: StoreDay, *, at: datetime) -> Iterator[WindowCount]:
    """The hours of the day up to the present one, from midnight; a window belongs to the hour in which it began."""
    return _spans(store, length_s=_HOUR_S, first_s=day.start_s, last_s=epoch_s(at))


def _windows(store: Source, *, length_s: int, at: datetime) -> Iterator[WindowCount]:
    last_s = window_start_s(at, length_s=length_s)
    return _spans(store, length_s=length_s, first_s=last_s - (CHART_WINDOWS - 1) * length_s, last_s=last_s)


def _spans(store: Source, *, length_s: int, first_s: int, last_s: int) -> Iterator[WindowCount]:
    """Crossings by spans of `length_s` from `first_s` on, up to the one that holds `last_s`."""
    found: dict[tuple[int, str], int] = {}
    for row in store.rows(
        """SELECT (start_s - ?) / ? AS span, key, sum(value) AS value FROM windows
           WHERE metric = ? AND start_s >= ? AND start_s < ? GROUP BY span, key""",
        first_s,
        length_s,
        Metric.VISITS.value,
        first_s,
        last_s + length_s,
    ):
        found[row["span"], row["key"]] = row["value"]
    for span in range((last_s - first_s) // length_s + 1):
        yield WindowCount(first_s + span * length_s, found.get((span, "in"), 0), found.get((span, "out"), 0))


def _in_company(groups: PlaceCounts, *, k: int) -> int | None:
    """Of those who came in, the share who came with somebody; a group of four or more counts as four."""
    people = dict.fromkeys(_SIZES, 0)
    for (_, key), value in groups.items():
        if key in _SIZES:
            people[key] += value * _SIZES[key]
    total, alone = sum(people.values()), people["1"]
    return round(100 * (total - alone) / total) if total >= k else None
