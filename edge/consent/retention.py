"""The retention job: what has outlived its time goes, and a report says how much of what."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from edge.clock import epoch_s
from edge.consent.deed import Deed
from edge.consent.purposes import PurposeBook
from edge.consent.sessions import Sessions
from edge.consent.subject import subject_of
from edge.privacy.keyring import Keyring
from edge.privacy.subject_keys import SubjectKeys

__all__ = ["Retention", "RetentionReport"]

_BATCH = 500
_TICKETS_DAYS = 90
_CONTACT = "feedback_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """How much the job expired, deleted or renewed."""

    expired_consents: int = 0
    keys_destroyed: int = 0
    sessions: int = 0
    access_codes: int = 0
    tickets: int = 0
    keys_rewrapped: int = 0


class Retention:
    """Works in batches, each a transaction of its own, so that no shopper waits for it long."""

    def __init__(
        self, *, keyring: Keyring, purposes: PurposeBook, write: Callable[[], AbstractContextManager[Deed]]
    ) -> None:
        """`write` opens a transaction and commits it."""
        self._keyring = keyring
        self._keys = SubjectKeys(keyring)
        self._write = write
        self._tickets_kept = timedelta(days=_TICKETS_DAYS)
        if _CONTACT in purposes:  # the shop's own notice may promise less
            promised = purposes.purpose(_CONTACT).retention_days
            self._tickets_kept = min(self._tickets_kept, timedelta(days=promised))

    def run(self, now: datetime) -> RetentionReport:
        """Do all that is due at `now`."""
        report = RetentionReport()
        while (expired := self._expire(report, now)) != report:
            report = expired
        with self._write() as deed:
            report = replace(
                report,
                sessions=Sessions(self._keyring).prune(deed.sql, at=now),
                access_codes=_delete(deed.sql, "access", "expires_s", now),
                tickets=_delete(deed.sql, "tickets", "created_s", now - self._tickets_kept),
            )
        return replace(report, keys_rewrapped=self._rewrap())

    def _expire(self, report: RetentionReport, now: datetime) -> RetentionReport:
        """Write down a batch of consents that have expired."""
        query = """SELECT subject, purpose FROM consents WHERE state = 'granted' AND expires_s <= ?
                   ORDER BY expires_s, subject LIMIT ?"""
        with self._write() as deed:
            due = deed.sql.execute(query, (epoch_s(now), _BATCH)).fetchall()
            ended = destroyed = 0
            for raw, rows in groupby(due, key=lambda row: row[0]):
                purposes = [purpose for _, purpose in rows]
                ended += deed.take_back(subject_of(raw), purposes, kind="expired", channel="box")
                destroyed += _has_no_key(deed.sql, raw)
        return replace(
            report,
            expired_consents=report.expired_consents + ended,
            keys_destroyed=report.keys_destroyed + destroyed,
        )

    def _rewrap(self) -> int:
        """Put keys that a retired wrapping key wraps under the present one."""
        query = "SELECT key, subject FROM subjects WHERE key IS NOT NULL AND substr(key, 1, ?) <> ? LIMIT ?"
        fresh, count = self._keyring.wrap_prefix(), 0
        while True:
            with self._write() as deed:
                rows = deed.sql.execute(query, (len(fresh), fresh, _BATCH)).fetchall()
                renewed = [(self._keys.rewrap(key, subject=raw), raw) for key, raw in rows]
                deed.sql.executemany("UPDATE subjects SET key = ? WHERE subject = ?", renewed)
                deed.key_destroyed |= bool(rows)  # the old wrapping must not stay in the log either
            count += len(rows)
            if not rows:
                return count


def _has_no_key(sql: sqlite3.Connection, raw: bytes) -> bool:
    return bool(sql.execute("SELECT key IS NULL FROM subjects WHERE subject = ?", (raw,)).fetchone()[0])


def _delete(sql: sqlite3.Connection, table: str, column: str, before: datetime) -> int:
    """Delete the rows of one of our tables whose time lies before `before`."""
    return sql.execute(f"DELETE FROM {table} WHERE {column} <= ?", (epoch_s(before),)).rowcount  # noqa: S608
