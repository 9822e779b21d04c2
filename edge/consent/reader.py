"""The registry as other processes read it: who stands behind a session code, what a subject said, what came since."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from edge.clock import from_epoch_s
from edge.consent.gate import LiveSession, Standing
from edge.consent.sessions import Sessions
from edge.consent.tickets import TicketKind
from edge.errors import StorageError
from edge.privacy.keyring import Keyring

__all__ = ["ConsentReader", "LedgerRow", "SealedTicket"]

_PATIENCE_S = 0.5
"""The gate would rather say no than keep a shopper waiting."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the ledger; `edge.consent.ledger.Chain.add` checks that it follows, `Entry.decode` reads it."""

    seq: int
    subject: bytes | None
    entry: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SealedTicket:
    """A ticket as it goes to HQ."""

    id: str
    kind: TicketKind
    language: str
    due_at: datetime
    sealed: bytes


class ConsentReader:
    """Reads `consent.db`, and cannot write it. Any thread may ask; what was committed a moment ago is seen.

    Every method raises `StorageError` where there is no database yet, or it cannot be read now; the next call tries again.
    """

    def __init__(self, path: Path, *, keyring: Keyring) -> None:
        self._path = path
        self._sessions = Sessions(keyring)
        self._lock = threading.Lock()
        self._sql: sqlite3.Connection | None = None

    def session(self, code: str, *, at: datetime) -> LiveSession | None:
        """The session that lives at `at` under this code; None for a wrong, ended or old one."""
        return self._ask(lambda sql: self._sessions.find(sql, code, at=at))

    def standing(self, subject: bytes, purpose: str) -> Standing | None:
        """What `subject` last said about `purpose`; `erased` for somebody who is."""
        return self._ask(lambda sql: _standing(sql, subject, purpose))

    def entries_after(self, seq: int, *, limit: int) -> list[LedgerRow]:
        """The next entries of the ledger, at most `limit`, in order."""
        query = "SELECT seq, subject, entry, hash FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._ask(lambda sql: [LedgerRow(*row) for row in sql.execute(query, (seq, limit))])

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of entry `seq`; None where the ledger does not reach so far."""
        row: tuple[bytes] | None = self._ask(
            lambda sql: sql.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
        )
        return None if row is None else row[0]

    def ticket(self, ticket: str) -> SealedTicket | None:
        """The ticket that an entry names; None once it is erased or has outlived its time."""
        query = "SELECT id, kind, language, due_s, sealed FROM tickets WHERE id = ?"
        row = self._ask(lambda sql: sql.execute(query, (ticket,)).fetchone())
        if row is None:
            return None
        named, kind, language, due_s, sealed = row
        return SealedTicket(id=named, kind=kind, language=language, due_at=from_epoch_s(due_s), sealed=sealed)

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            self._drop()

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                if self._sql is None:
                    self._sql = _connect(self._path)
                return question(self._sql)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                self._drop()  # the file may have been exchanged; the next call opens it anew
                raise StorageError(
                    "read consents", f"{self._path}: {error}", "run `threshold consent verify`"
                ) from error

    def _drop(self) -> None:
        if self._sql is not None:
            self._sql.close()
            self._sql = None


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise StorageError("read consents", f"{path} does not exist yet", "start the web process, which makes it")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE_S, check_same_thread=False)


def _standing(sql: sqlite3.Connection, subject: bytes, purpose: str) -> Standing | None:
    query = "SELECT state, notice, expires_s FROM consents WHERE subject = ? AND purpose = ?"
    row = sql.execute(query, (subject, purpose)).fetchone()
    if row is not None:
        return Standing(*row)
    erased = sql.execute("SELECT 1 FROM subjects WHERE subject = ? AND erased_seq IS NOT NULL", (subject,)).fetchone()
    return Standing("erased", "", None) if erased else None
