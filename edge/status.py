"""What a store is doing, read from its databases without disturbing the processes that own them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from edge.clock import Clock, epoch_s
from edge.errors import StorageError
from edge.occupancy import empty_since, read_inside
from edge.outbox.position import acknowledged_sequence
from edge.outbox.table import waiting
from edge.settings import Settings
from edge.storage.database import open_reader, owner_of

__all__ = ["COMPLAINTS", "Status", "complaints_of", "read_status"]

COMPLAINTS = ("dark", "covered", "moved", "blurred", "frozen")
"""What may ail a camera's picture: the list of `edge.camera.health` without its numpy and OpenCV. A test compares them."""


class OutboxStatus(TypedDict):
    """What waits for HQ."""

    waiting: int
    oldest_s: float | None
    last_sequence: int
    acknowledged_sequence: int


class Status(TypedDict):
    """`threshold status --json`. `complaints` are what ails a camera's picture; a camera that is well is not named."""

    store: str
    processes: dict[str, int | None]
    counters: dict[str, int]
    gauges: dict[str, float]
    visitors: dict[str, int]
    occupancy: int
    complaints: dict[str, list[str]]
    sales: dict[str, int]
    devices: list[dict[str, object]]
    outbox: OutboxStatus


def read_status(settings: Settings, *, clock: Clock) -> Status:
    """The state of the store; a store that never ran has zeros.

    Raises:
        StorageError: the database is there and cannot be read.
    """
    status = _empty(settings)
    try:
        with open_reader(settings.store_db) as connection:
            _fill(status, connection, settings, now=clock())
    except StorageError:
        if settings.store_db.exists():
            raise
    except sqlite3.OperationalError as error:
        raise StorageError("read status", f"{settings.store_db}: {error}", "try again in a moment") from error
    return status


def _empty(settings: Settings) -> Status:
    return {
        "store": settings.store.id,
        "processes": {"gateway": owner_of(settings.store_db), "sync": owner_of(settings.sync_db)},
        "counters": {},
        "gauges": {},
        "visitors": {"in": 0, "out": 0},
        "occupancy": 0,
        "complaints": {},
        "sales": {},
        "devices": [],
        "outbox": {"waiting": 0, "oldest_s": None, "last_sequence": 0, "acknowledged_sequence": 0},
    }


def complaints_of(gauges: Mapping[str, float]) -> dict[str, list[str]]:
    """What ails each camera's picture, by the gauges `camera_{complaint}/{camera}`; a camera that is well is not named."""
    found: dict[str, list[str]] = {}
    for complaint in COMPLAINTS:
        for name in sorted(gauges):
            kind, _, camera = name.partition("/")
            if kind == f"camera_{complaint}" and camera and gauges[name]:
                found.setdefault(camera, []).append(complaint)
    return found


def _fill(status: Status, connection: sqlite3.Connection, settings: Settings, *, now: datetime) -> None:
    status["counters"] = dict(tuple(row) for row in connection.execute("SELECT name, value FROM counters"))
    status["gauges"] = dict(tuple(row) for row in connection.execute("SELECT name, value FROM gauges"))
    status["visitors"] |= dict(
        tuple(row)
        for row in connection.execute("SELECT key, sum(value) FROM windows WHERE metric = 'visits' GROUP BY key")
    )
    status["sales"] = dict(
        tuple(row)
        for row in connection.execute("SELECT key, sum(value) FROM windows WHERE metric = 'sales' GROUP BY key")
    )
    status["devices"] = [
        dict(row) for row in connection.execute("SELECT kind, id, state, firmware, last_seen_s FROM devices")
    ]
    status["complaints"] = complaints_of(status["gauges"])
    empty = empty_since(now, closes_at=settings.store.closes_at, timezone=settings.store.timezone)
    status["occupancy"] = read_inside(connection, since_s=epoch_s(empty))
    outbox = status["outbox"]
    (incarnation,) = connection.execute("SELECT incarnation FROM identity").fetchone()
    outbox["acknowledged_sequence"] = acknowledged_sequence(settings.sync_db, incarnation=incarnation)
    left = waiting(connection, after=outbox["acknowledged_sequence"])
    outbox["waiting"] = left.events
    outbox["oldest_s"] = None if left.oldest_s is None else max(0.0, now.timestamp() - left.oldest_s)
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    outbox["last_sequence"] = int(last[0]) if last else 0
