"""`store.db`: the gateway's own record. Every change goes through one `StoreTransaction`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from edge.clock import epoch_s
from edge.messages import Device
from edge.storage.database import OwnedDatabase, transaction
from edge.storage.store_schema import store_migrations
from edge.windows import Increment, Metric

__all__ = ["PendingCell", "Store", "StoreTransaction"]


@dataclass(frozen=True, slots=True)
class PendingCell:
    """A count of one local window that has not left the store."""

    start_s: int
    metric: Metric
    place: str
    key: str
    value: int


DEAD_LETTERS_KEPT = 10_000
"""However fast a hostile device talks, its dead letters take no more room than this many."""

EXACT = -1
"""`release_seq` of figures that left exactly, as sales do."""


class Store:
    """The gateway's database. One thread uses it."""

    def __init__(self, path: Path) -> None:
        self._database = OwnedDatabase(path, migrations=store_migrations)
        self._connection = self._database.connection
        (self.incarnation,) = self._connection.execute("SELECT incarnation FROM identity").fetchone()

    @contextmanager
    def transaction(self) -> Iterator[StoreTransaction]:
        """All or nothing: what is done to the yielded transaction is durable when the block ends."""
        with transaction(self._connection) as connection:
            yield StoreTransaction(connection)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class StoreTransaction:
    """What may be done inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def first_time(self, message_id: UUID, *, at: datetime) -> bool:
        """Record `message_id`; False when it was there already, so that its effect must not happen again."""
        cursor = self._sql.execute("INSERT OR IGNORE INTO messages VALUES (?, ?)", (message_id.bytes, epoch_s(at)))
        return cursor.rowcount == 1

    def add(self, increments: Iterable[Increment]) -> None:
        """Add to the pending windows."""
        self._sql.executemany(
            """INSERT INTO windows (start_s, metric, place, key, value) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET value = value + excluded.value""",
            [(i.cell.start_s, i.cell.metric, i.cell.place, i.cell.key, i.amount) for i in increments],
        )

    def count(self, name: str, amount: int = 1) -> None:
        """Add to the running total `name`."""
        self._sql.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (name, amount),
        )

    def gauge(self, name: str, value: float, *, at: datetime) -> None:
        """Set the present value of `name`."""
        self._sql.execute("INSERT OR REPLACE INTO gauges VALUES (?, ?, ?)", (name, value, at.timestamp()))

    def dead_letter(self, *, at: datetime, reason: str, topic: str, size: int, sha256: str) -> None:
        """Record that a message was refused, and what can be said of it without its payload."""
        self._sql.execute(
            "INSERT INTO dead_letters (received_s, reason, topic, size, sha256) VALUES (?, ?, ?, ?, ?)",
            (epoch_s(at), reason, topic, size, sha256),
        )

    def device_seen(self, device: Device, *, at: datetime, state: str = "online", firmware: str | None = None) -> bool:
        """Record that `device` was heard of; True when its state changed by this."""
        row = self._sql.execute(
            "SELECT state FROM devices WHERE kind = ? AND id = ?", (device.kind, device.id)
        ).fetchone()
        self._sql.execute(
            """INSERT INTO devices VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
               state = excluded.state, firmware = coalesce(excluded.firmware, firmware), last_seen_s = excluded.last_seen_s""",
            (device.kind, device.id, state, firmware, epoch_s(at)),
        )
        return row is None or row[0] != state

    def pending_cells(self, *, before_s: int) -> list[PendingCell]:
        """Counts of windows that began before `before_s` and have not left, by cell and time."""
        rows = self._sql.execute(
            """SELECT start_s, metric, place, key, value FROM windows WHERE release_seq = 0 AND start_s < ?
               ORDER BY metric, place, key, start_s""",
            (before_s,),
        )
        return [PendingCell(start_s, Metric(metric), place, key, value) for start_s, metric, place, key, value in rows]

    def flows(self, *, since_s: int, until_s: int) -> list[tuple[int, int, int]]:
        """Local windows that began in [since_s, until_s), in order: their start, who came in and who went out."""
        rows = self._sql.execute(
            """SELECT start_s, sum(value * (key = 'in')), sum(value * (key = 'out')) FROM windows
               WHERE metric = ? AND start_s >= ? AND start_s < ? GROUP BY start_s ORDER BY start_s""",
            (Metric.VISITS, since_s, until_s),
        )
        return [(start_s, entered, left) for start_s, entered, left in rows]

    def has_window(self, metric: Metric, *, start_s: int) -> bool:
        """Whether anything of `metric` stands in the local window that began at `start_s`, left or not."""
        query = "SELECT 1 FROM windows WHERE metric = ? AND start_s = ? LIMIT 1"
        return self._sql.execute(query, (metric, start_s)).fetchone() is not None

    def epsilon_spent(self, *, day: str, metric: Metric, place: str, key: str) -> float:
        """Epsilon that releases of one cell have spent on `day` (ISO date)."""
        (spent,) = self._sql.execute(
            "SELECT coalesce(sum(epsilon), 0) FROM releases WHERE day = ? AND metric = ? AND place = ? AND key = ?",
            (day, metric, place, key),
        ).fetchone()
        return float(spent)

    def record_release(  # the columns of the release record
        self, cell: PendingCell, *, end_s: int, day: str, outcome: str, epsilon: float, k: int, at: datetime
    ) -> None:
        """Write the release (or final suppression) of `cell` from its start to `end_s`, and move its counts off pending."""
        cursor = self._sql.execute(
            """INSERT INTO releases (released_s, day, start_s, end_s, metric, place, key, outcome, epsilon, k)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (epoch_s(at), day, cell.start_s, end_s, cell.metric, cell.place, cell.key, outcome, epsilon, k),
        )
        self._leave(cell, end_s=end_s, release_seq=cursor.lastrowid or 0)

    def settle(self, cell: PendingCell, *, end_s: int) -> None:
        """Move the exact figures of `cell` from its start to `end_s` off pending; they cost no budget, so no release record."""
        self._leave(cell, end_s=end_s, release_seq=EXACT)

    def _leave(self, cell: PendingCell, *, end_s: int, release_seq: int) -> None:
        where = "metric = ? AND place = ? AND key = ? AND start_s >= ? AND start_s < ?"
        named = (cell.metric, cell.place, cell.key, cell.start_s, end_s)
        # A settled cell may be settled again when something came late: add to what is there.
        self._sql.execute(
            f"""INSERT INTO windows (start_s, metric, place, key, release_seq, value)
                SELECT start_s, metric, place, key, ?, value FROM windows WHERE release_seq = 0 AND {where}
                ON CONFLICT DO UPDATE SET value = value + excluded.value""",  # noqa: S608  `where` is a constant
            (release_seq, *named),
        )
        self._sql.execute(f"DELETE FROM windows WHERE release_seq = 0 AND {where}", named)  # noqa: S608

    def next_sequence(self) -> int:
        """The outbox sequence number that the next event will bear."""
        row = self._sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        return int(row[0]) + 1 if row else 1

    def enqueue(self, sequence: int, event_json: str, *, at: datetime) -> None:
        """Put an event into the outbox; `edge.outbox.Outbox` is the only caller."""
        self._sql.execute("INSERT INTO outbox VALUES (?, ?, ?)", (sequence, epoch_s(at), event_json.encode()))

    def outbox_bytes(self) -> int:
        """Bytes of events waiting in the outbox."""
        (size,) = self._sql.execute("SELECT coalesce(sum(length(event)), 0) FROM outbox").fetchone()
        return int(size)

    def consent_position(self) -> tuple[int, bytes]:
        """The last entry of the consent ledger that has had its effect here, and its hash; (0, b"") before the first."""
        seq, digest = self._sql.execute("SELECT seq, hash FROM consent_position").fetchone()
        return int(seq), bytes(digest)

    def followed_consent(self, seq: int, digest: bytes) -> None:
        """Record that the ledger's entry `seq`, of this hash, has had its effect."""
        self._sql.execute("UPDATE consent_position SET seq = ?, hash = ?", (seq, digest))

    def prune(self, *, acknowledged_sequence: int, messages_before_s: int, windows_before_s: int) -> None:
        """Forget what HQ has, and what is older than its retention."""
        self._sql.execute("DELETE FROM outbox WHERE sequence <= ?", (acknowledged_sequence,))
        self._sql.execute("DELETE FROM messages WHERE received_s < ?", (messages_before_s,))
        self._sql.execute("DELETE FROM windows WHERE release_seq <> 0 AND start_s < ?", (windows_before_s,))
        self._sql.execute("DELETE FROM dead_letters WHERE received_s < ?", (windows_before_s,))
        newest = "SELECT max(seq) FROM dead_letters"
        self._sql.execute(f"DELETE FROM dead_letters WHERE seq <= ({newest}) - ?", (DEAD_LETTERS_KEPT,))  # noqa: S608
