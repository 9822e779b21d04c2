"""All stores at a glance: when each was last heard of, and its own today."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from cloud_sync.hq.schema import count_windows, events, sales_windows, stores
from cloud_sync.hq.waiting import Waiting, waiting
from edge.clock import epoch_s

__all__ = ["StoreToday", "overview"]

_HOURS = 24
_NOBODY = Waiting()


@dataclass(frozen=True, slots=True)
class StoreToday:
    """One store's line. A day is the store's own, by its time zone; `takings_minor` is by currency."""

    store: str
    last_seen_s: int | None
    events: int
    visits: int = 0
    visits_by_hour: tuple[int, ...] = (0,) * _HOURS
    takings_minor: dict[str, int] = field(default_factory=dict)
    waiting: Waiting = _NOBODY


def overview(connection: Connection, *, now: datetime) -> list[StoreToday]:
    """Every store, by name."""
    known = connection.execute(select(stores).order_by(stores.c.store)).all()
    totals = _events(connection)
    waits = waiting(connection, now=now)
    visits: dict[str, Counter[int]] = {}
    takings: dict[str, dict[str, int]] = {}
    for timezone in {row.timezone for row in known}:
        midnight_s = _midnight_s(now, timezone)
        visits |= _visits(connection, timezone, since_s=midnight_s)
        takings |= _takings(connection, timezone, since_s=midnight_s)
    return [
        StoreToday(
            store=row.store,
            last_seen_s=row.last_seen_s,
            events=totals.get(f"threshold/stores/{row.store}", 0),
            visits=visits.get(row.store, Counter()).total(),
            visits_by_hour=tuple(visits.get(row.store, Counter())[hour] for hour in range(_HOURS)),
            takings_minor=takings.get(row.store, {}),
            waiting=waits.get(row.store, _NOBODY),
        )
        for row in known
    ]


def _midnight_s(now: datetime, timezone: str) -> int:
    return epoch_s(now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0))


def _events(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(events.c.source, func.count()).group_by(events.c.source))
    return {row[0]: row[1] for row in rows}


def _visits(connection: Connection, timezone: str, *, since_s: int) -> dict[str, Counter[int]]:
    """Who came in since midnight, by hour of the day (a day of 25 hours puts its last into the 24th)."""
    windows = count_windows.c
    rows = connection.execute(
        select(windows.store, windows.start_s, func.sum(windows.value))
        .join(stores)
        .where(stores.c.timezone == timezone, windows.start_s >= since_s)
        .where(windows.metric == "visits", windows.key == "in")
        .group_by(windows.store, windows.start_s)
    )
    visits: dict[str, Counter[int]] = {}
    for store, start_s, total in rows:
        hour = min((start_s - since_s) // 3600, _HOURS - 1)
        visits.setdefault(store, Counter())[hour] += int(total)
    return visits


def _takings(connection: Connection, timezone: str, *, since_s: int) -> dict[str, dict[str, int]]:
    windows = sales_windows.c
    rows = connection.execute(
        select(windows.store, windows.currency, func.sum(windows.total_minor))
        .join(stores)
        .where(stores.c.timezone == timezone, windows.start_s >= since_s)
        .group_by(windows.store, windows.currency)
        .order_by(windows.currency)
    )
    takings: dict[str, dict[str, int]] = {}
    for store, currency, total in rows:
        takings.setdefault(store, {})[currency] = int(total)
    return takings
