"""The tables of `sync.db`, as append-only migrations. The gateway and the dashboard read them, nobody else writes them."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

__all__ = ["sync_migrations"]

sync_migrations = Migrations("sync")


@sync_migrations()
def m001_uplink(db: Database) -> None:
    """How far HQ has acknowledged, how the uplink fares, and what HQ refused.

    `position` is one row. `incarnation` names the life of `store.db` that the number belongs to: a store.db that was
    lost and made anew counts from 1 again, and an old position must neither skip nor prune its events.
    """
    for statement in (
        """CREATE TABLE position (
            only INTEGER PRIMARY KEY CHECK (only = 1), acknowledged_sequence INTEGER NOT NULL, incarnation TEXT NOT NULL)""",
        "INSERT INTO position VALUES (1, 0, '')",
        """CREATE TABLE uplink_state (
            only INTEGER PRIMARY KEY CHECK (only = 1), last_success_s INTEGER, last_attempt_s INTEGER, last_error TEXT)""",
        "INSERT INTO uplink_state VALUES (1, NULL, NULL, NULL)",
        """CREATE TABLE rejected_events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, incarnation TEXT NOT NULL, sequence INTEGER NOT NULL, event_id TEXT,
            reason TEXT NOT NULL, at INTEGER NOT NULL, event BLOB NOT NULL)""",
    ):
        db.conn.execute(statement)
