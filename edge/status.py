"""What a store is doing, read from its databases without disturbing the processes that own them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypedDict

from edge.clock import Clock
from edge.errors import StorageError
from edge.outbox.position import acknowledged_sequence
from edge.outbox.table import waiting
from edge.settings import Settings
from edge.storage.database import open_reader, owner_of

__all__ = ["Status", "read_status"]


class OutboxStatus(TypedDict):
    """What waits for HQ."""

    waiting: int
    oldest_s: float | None
    last_sequence: int
    acknowledged_sequence: int


class Status(TypedDict):
    """`threshold status --json`."""

    store: str
    processes: dict[str, int | None]
    counters: dict[str, int]
    gauges: dict[str, float]
    visitors: dict[str, int]
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
            _fill(status, connection, settings.sync_db, now_s=clock().timestamp())
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
        "sales": {},
        "devices": [],
        "outbox": {"waiting": 0, "oldest_s": None, "last_sequence": 0, "acknowledged_sequence": 0},
    }


def _fill(status: Status, connection: sqlite3.Connection, sync_db: Path, *, now_s: float) -> None:
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
    outbox = status["outbox"]
    (incarnation,) = connection.execute("SELECT incarnation FROM identity").fetchone()
    outbox["acknowledged_sequence"] = acknowledged_sequence(sync_db, incarnation=incarnation)
    left = waiting(connection, after=outbox["acknowledged_sequence"])
    outbox["waiting"] = left.events
    outbox["oldest_s"] = None if left.oldest_s is None else max(0.0, now_s - left.oldest_s)
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    outbox["last_sequence"] = int(last[0]) if last else 0
