"""The tables of `consent.db`, as append-only migrations."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

__all__ = ["consent_migrations"]

consent_migrations = Migrations("consent")


@consent_migrations()
def m001_registry(db: Database) -> None:
    """The ledger and its signed head and checkpoints; what is derived from it; what is kept beside it.

    `subjects.key` is a wrapped key, NULL while nothing is granted and once it is destroyed.
    """
    for statement in (
        "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, subject BLOB, entry BLOB NOT NULL, hash BLOB NOT NULL)",
        "CREATE INDEX ledger_by_subject ON ledger (subject)",
        """CREATE TABLE head (
            one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL, at TEXT NOT NULL,
            signature BLOB NOT NULL, key_id TEXT NOT NULL)""",
        """CREATE TABLE checkpoints (
            seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, at TEXT NOT NULL, signature BLOB NOT NULL, key_id TEXT NOT NULL)""",
        """CREATE TABLE consents (
            subject BLOB NOT NULL, purpose TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('granted', 'refused', 'withdrawn', 'expired')),
            notice TEXT NOT NULL, since_seq INTEGER NOT NULL, expires_s INTEGER,
            PRIMARY KEY (subject, purpose)) WITHOUT ROWID""",
        "CREATE INDEX consents_by_expiry ON consents (expires_s) WHERE state = 'granted'",
        """CREATE TABLE subjects (
            subject BLOB PRIMARY KEY, key BLOB, age_band TEXT, created_s INTEGER NOT NULL, erased_seq INTEGER)""",
        """CREATE TABLE access (
            mac BLOB PRIMARY KEY, subject BLOB NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('code', 'link')),
            expires_s INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX access_by_subject ON access (subject)",
        """CREATE TABLE sessions (
            mac BLOB PRIMARY KEY, subject BLOB NOT NULL, purposes TEXT NOT NULL, created_s INTEGER NOT NULL,
            expires_s INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
        "CREATE INDEX sessions_by_subject ON sessions (subject)",
        """CREATE TABLE subject_data (
            subject BLOB NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (subject, name)) WITHOUT ROWID""",
        "CREATE TABLE notices (version TEXT PRIMARY KEY, purpose TEXT NOT NULL, content BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE tickets (
            id TEXT PRIMARY KEY, subject BLOB, kind TEXT NOT NULL CHECK (kind IN ('question', 'complaint')),
            language TEXT NOT NULL, created_s INTEGER NOT NULL, due_s INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'answered')), sealed BLOB NOT NULL, answer BLOB)""",
        "CREATE INDEX tickets_by_subject ON tickets (subject)",
    ):
        db.conn.execute(statement)
