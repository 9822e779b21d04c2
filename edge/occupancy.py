"""How many people are inside: what came in less what went out, since the shop was last known to be empty.

Derived from the stored windows, so it survives every restart. A count that believes fewer than nobody inside has missed
somebody coming in: it is set right at once. What it still believes at closing time is its drift, and is forgotten then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["Flow", "empty_since", "inside", "read_inside"]


@dataclass(frozen=True, slots=True)
class Flow:
    """Who came in and who went out in a local window that began at `start_s`."""

    start_s: int
    entered: int
    left: int


def inside(flows: Iterable[Flow]) -> int:
    """People inside after `flows`, all of them since the shop was empty; never below zero."""
    people = 0
    for flow in sorted(flows, key=lambda flow: flow.start_s):
        people = max(0, people + flow.entered - flow.left)
    return people


def read_inside(connection: sqlite3.Connection, *, since_s: int) -> int:
    """People inside the shop by the windows of `store.db` that began at `since_s` or later, when it was empty."""
    rows = connection.execute(
        """SELECT start_s, sum(value * (key = 'in')), sum(value * (key = 'out')) FROM windows
           WHERE start_s >= ? AND metric = 'visits' GROUP BY start_s""",
        (since_s,),
    )
    return inside(Flow(*row) for row in rows)


def empty_since(at: datetime, *, closes_at: time | None, timezone: str) -> datetime:
    """The last moment, at or before `at`, at which the shop was empty: its closing time, or else its midnight."""
    zone = ZoneInfo(timezone)
    local = at.astimezone(zone)
    moment = datetime.combine(local.date(), closes_at or time(), tzinfo=zone)
    if moment > local:
        moment = datetime.combine(local.date() - timedelta(days=1), closes_at or time(), tzinfo=zone)
    return moment
