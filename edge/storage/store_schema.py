"""The tables of `store.db`, as append-only migrations."""

from __future__ import annotations

import uuid

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

__all__ = ["store_migrations"]

store_migrations = Migrations("store")


@store_migrations()
def m001_spine(db: Database) -> None:
    """What the spine needs: message ids, windows, releases, outbox, dead letters, devices, figures.

    `windows.release_seq` is 0 while a count has not left; a release moves rows to its own number, so what arrives late
    opens a fresh row and can never be lost in one that has gone.
    """
    db.conn.execute("CREATE TABLE identity (incarnation TEXT NOT NULL)")
    db.conn.execute("INSERT INTO identity VALUES (?)", (uuid.uuid4().hex,))
    for statement in (
        "CREATE TABLE messages (message_id BLOB PRIMARY KEY, received_s INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX messages_by_age ON messages (received_s)",
        """CREATE TABLE windows (
            start_s INTEGER NOT NULL, metric TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT NULL,
            release_seq INTEGER NOT NULL DEFAULT 0, value INTEGER NOT NULL,
            PRIMARY KEY (start_s, metric, place, key, release_seq)) WITHOUT ROWID""",
        "CREATE INDEX windows_pending ON windows (metric, place, key, start_s) WHERE release_seq = 0",
        """CREATE TABLE releases (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, released_s INTEGER NOT NULL, day TEXT NOT NULL,
            start_s INTEGER NOT NULL, end_s INTEGER NOT NULL, metric TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('released', 'suppressed')), epsilon REAL NOT NULL, k INTEGER NOT NULL)""",
        "CREATE INDEX releases_by_day ON releases (day, metric, place, key)",
        """CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, enqueued_s INTEGER NOT NULL, event BLOB NOT NULL)""",
        """CREATE TABLE dead_letters (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, received_s INTEGER NOT NULL, reason TEXT NOT NULL, topic TEXT NOT NULL,
            size INTEGER NOT NULL, sha256 TEXT NOT NULL)""",
        """CREATE TABLE devices (
            kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, firmware TEXT, last_seen_s INTEGER NOT NULL,
            PRIMARY KEY (kind, id)) WITHOUT ROWID""",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE gauges (name TEXT PRIMARY KEY, value REAL NOT NULL, updated_s REAL NOT NULL) WITHOUT ROWID",
    ):
        db.conn.execute(statement)


@store_migrations()
def m002_consent_position(db: Database) -> None:
    """How far the gateway has followed the consent ledger, and the hash it saw there: a witness outside the ledger."""
    db.conn.execute("CREATE TABLE consent_position (seq INTEGER NOT NULL, hash BLOB NOT NULL)")
    db.conn.execute("INSERT INTO consent_position VALUES (0, x'')")
