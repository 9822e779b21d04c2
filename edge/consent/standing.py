"""How things stand for a subject, read from `consent.db` through any connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from edge.clock import epoch_s, from_epoch_s
from edge.consent.choices import PurposeState, PurposeView, SubjectView
from edge.consent.derived import ConsentRow
from edge.consent.ledger import Entry, LedgerBroken
from edge.consent.purposes import AgeBand, PurposeBook
from edge.consent.subject import NoSuchSubject, Subject, to_bytes

__all__ = ["SubjectRow", "find_subject", "history_of", "last_seq", "view_of"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SubjectRow:
    """A row of `subjects`; `key` is the wrapped key, if there is one."""

    raw: bytes
    key: bytes | None
    age_band: AgeBand | None
    created_at: datetime
    erased_seq: int | None


def find_subject(sql: sqlite3.Connection, subject: Subject) -> SubjectRow:
    """The row of `subject`.

    Raises:
        NoSuchSubject: there is none.
    """
    query = "SELECT key, age_band, created_s, erased_seq FROM subjects WHERE subject = ?"
    row = sql.execute(query, (to_bytes(subject),)).fetchone()
    if row is None:
        raise NoSuchSubject("look up subject", f"nobody is known as {subject}", "check the pseudonym")
    key, age_band, created_s, erased_seq = row
    return SubjectRow(
        raw=to_bytes(subject),
        key=key,
        age_band=age_band,
        created_at=from_epoch_s(created_s),
        erased_seq=erased_seq,
    )


def history_of(sql: sqlite3.Connection, subject: Subject) -> tuple[Entry, ...]:
    """Every entry about `subject`, oldest first."""
    rows = sql.execute("SELECT seq, entry FROM ledger WHERE subject = ? ORDER BY seq", (to_bytes(subject),))
    return tuple(_read(seq, entry) for seq, entry in rows)


def last_seq(sql: sqlite3.Connection, subject: Subject) -> int:
    """The number of the subject's last entry."""
    (seq,) = sql.execute("SELECT max(seq) FROM ledger WHERE subject = ?", (to_bytes(subject),)).fetchone()
    return int(seq or 0)


def view_of(sql: sqlite3.Connection, subject: Subject, *, purposes: PurposeBook, at: datetime) -> SubjectView:
    """How everything stands for `subject` at `at`.

    Raises:
        NoSuchSubject: nobody is known by that name.
    """
    row = find_subject(sql, subject)
    return SubjectView(
        subject=subject,
        purposes=() if row.erased_seq else tuple(_purposes(sql, row.raw, purposes=purposes, at=at)),
        age_band=row.age_band,
        created_at=row.created_at,
        seq=last_seq(sql, subject),
        key_alive=row.key is not None,
        erased_at=None if row.erased_seq is None else _entry(sql, row.erased_seq).at,
        erased_seq=row.erased_seq,
    )


def _purposes(sql: sqlite3.Connection, raw: bytes, *, purposes: PurposeBook, at: datetime) -> Iterator[PurposeView]:
    """Those that shoppers are asked about today, then those answered that are asked no more."""
    query = "SELECT purpose, state, notice, since_seq, expires_s FROM consents WHERE subject = ? ORDER BY purpose"
    answered = {row[0]: ConsentRow(*row) for row in sql.execute(query, (raw,))}
    for purpose in purposes.individual():
        row = answered.pop(purpose.id, None)
        if row is None:
            yield PurposeView(purpose=purpose.id, state="none")
        else:
            yield _answered(row, since=_entry(sql, row.since_seq).at, version=purpose.version, at=at)
    for row in answered.values():
        yield _answered(row, since=_entry(sql, row.since_seq).at, version=None, at=at)


def _answered(row: ConsentRow, *, since: datetime, version: str | None, at: datetime) -> PurposeView:
    over = row.expires_s is not None and row.expires_s <= epoch_s(at)
    state: PurposeState = "expired" if over else row.state
    changed = row.notice != version
    return PurposeView(
        purpose=row.purpose,
        state=state,
        notice=row.notice,
        since=since,
        expires_at=None if row.expires_s is None else from_epoch_s(row.expires_s),
        notice_changed=changed,
        ask_again=state in {"granted", "expired"} and (changed or over or state == "expired"),
    )


def _entry(sql: sqlite3.Connection, seq: int) -> Entry:
    row = sql.execute("SELECT entry FROM ledger WHERE seq = ?", (seq,)).fetchone()
    return _read(seq, b"" if row is None else row[0])


def _read(seq: int, entry: bytes) -> Entry:
    try:
        return Entry.decode(entry)
    except (ValueError, KeyError, TypeError):
        raise LedgerBroken(seq, "it cannot be read") from None
