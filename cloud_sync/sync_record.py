"""`sync.db`: how far HQ has acknowledged. The gateway prunes its outbox by it, so it never runs ahead of HQ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from cloud_sync.sync_schema import sync_migrations
from edge.clock import epoch_s
from edge.storage.database import OwnedDatabase, transaction

__all__ = ["Refused", "SyncRecord"]

log = structlog.get_logger(__name__)

_KEPT_REJECTED = 50_000


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that will not be at HQ, and why; kept whole, so that nothing is lost should HQ learn to take it."""

    sequence: int
    event_id: str | None
    reason: str
    event: bytes


class SyncRecord:
    """The sync process's database. One thread at a time uses it."""

    def __init__(self, path: Path) -> None:
        self._database = OwnedDatabase(path, migrations=sync_migrations)
        self._sql = self._database.connection

    def position(self, incarnation: str) -> int:
        """The last sequence number acknowledged by HQ of this life of `store.db`; 0 when it is a new one."""
        sequence, known = self._sql.execute("SELECT acknowledged_sequence, incarnation FROM position").fetchone()
        if known == incarnation:
            return int(sequence)
        if known:
            log.warning("store_made_anew", position_was=sequence)
        with transaction(self._sql) as sql:
            sql.execute("UPDATE position SET acknowledged_sequence = 0, incarnation = ?", (incarnation,))
        return 0

    def acknowledge(self, incarnation: str, *, through: int, refused: Sequence[Refused], at: datetime) -> None:
        """Move the position to `through` and record what was refused, in one transaction. It never moves back."""
        now_s = epoch_s(at)
        with transaction(self._sql) as sql:
            sql.execute(
                "UPDATE position SET acknowledged_sequence = max(acknowledged_sequence, ?) WHERE incarnation = ?",
                (through, incarnation),
            )
            sql.executemany(
                """INSERT INTO rejected_events (incarnation, sequence, event_id, reason, at, event)
                   VALUES (?, ?, ?, ?, ?, ?)""",
                [(incarnation, r.sequence, r.event_id, r.reason, now_s, r.event) for r in refused],
            )
            sql.execute(
                "DELETE FROM rejected_events WHERE seq <= (SELECT max(seq) FROM rejected_events) - ?", (_KEPT_REJECTED,)
            )

    def succeeded(self, *, at: datetime) -> None:
        """Record that HQ answered well."""
        self._sql.execute(
            "UPDATE uplink_state SET last_success_s = ?, last_attempt_s = ?, last_error = NULL",
            (epoch_s(at), epoch_s(at)),
        )

    def failed(self, error: str, *, at: datetime) -> None:
        """Record that an attempt failed, in one line."""
        self._sql.execute("UPDATE uplink_state SET last_attempt_s = ?, last_error = ?", (epoch_s(at), error))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
