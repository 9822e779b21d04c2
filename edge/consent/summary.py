"""How many agreed to what: the registry in a few figures, for the privacy officer."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from edge.clock import epoch_s

__all__ = ["Summary", "summary_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`purposes`: for each the number of subjects by state; what has run out counts as expired, written down or not."""

    entries: int
    last_at: str | None
    subjects: int
    erased: int
    open_tickets: int
    purposes: dict[str, dict[str, int]]


def summary_of(sql: sqlite3.Connection, *, at: datetime) -> Summary:
    """The figures at `at`."""
    head = sql.execute("SELECT seq, at FROM head").fetchone()
    subjects, erased = sql.execute("SELECT count(*), count(erased_seq) FROM subjects").fetchone()
    (tickets,) = sql.execute("SELECT count(*) FROM tickets WHERE state = 'open'").fetchone()
    states: dict[str, dict[str, int]] = {}
    query = """SELECT purpose, CASE WHEN state = 'granted' AND expires_s <= ? THEN 'expired' ELSE state END AS now, count(*)
               FROM consents GROUP BY purpose, now ORDER BY purpose, now"""
    for purpose, state, count in sql.execute(query, (epoch_s(at),)):
        states.setdefault(purpose, {})[state] = count
    return Summary(
        entries=0 if head is None else head[0],
        last_at=None if head is None else head[1],
        subjects=subjects,
        erased=erased,
        open_tickets=tickets,
        purposes=states,
    )
