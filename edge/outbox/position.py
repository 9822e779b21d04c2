"""How far HQ has acknowledged the outbox; written by the sync process in `sync.db`, read here."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.errors import StorageError
from edge.storage.database import open_reader

__all__ = ["acknowledged_sequence"]


def acknowledged_sequence(sync_db: Path, *, incarnation: str) -> int:
    """The last outbox sequence that HQ's database has committed, for this life of `store.db`; 0 while there is none.

    A `store.db` that was lost and made anew counts from 1 again: an old position must not prune its events.
    """
    try:
        with open_reader(sync_db) as connection:
            query = "SELECT max(acknowledged_sequence) FROM position WHERE incarnation = ?"
            row = connection.execute(query, (incarnation,)).fetchone()
    except (StorageError, sqlite3.OperationalError):
        # No file, or sync is only just making its tables: nothing is known to be acknowledged, which is the safe answer.
        return 0
    return int(row[0] or 0)
