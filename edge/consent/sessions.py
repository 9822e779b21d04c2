"""Sessions: six digits that stand for "this subject, these purposes" at a mirror or till, for ten minutes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from edge.clock import epoch_s, from_epoch_s
from edge.consent.choices import SessionCode
from edge.consent.gate import LiveSession
from edge.consent.subject import Random
from edge.privacy.keyring import Keyring

__all__ = ["SESSION", "Sessions"]

SESSION = timedelta(minutes=10)
_DIGITS = 6
_NUMBERS = 10**_DIGITS
_FAIR_BELOW = 2**32 - 2**32 % _NUMBERS
_CODE = re.compile(f"[0-9]{{{_DIGITS}}}")
_READ_AS = str.maketrans("", "", " -")


class Sessions:
    """Opens, finds and ends sessions, inside a transaction of the caller's. Codes are kept as keyed hashes alone."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def open(
        self, sql: sqlite3.Connection, subject: bytes, purposes: Iterable[str], *, at: datetime, random: Random
    ) -> SessionCode:
        """A new session of `subject`; the ones before end."""
        now_s = epoch_s(at)
        self.end(sql, subject)
        self.prune(sql, at=at)
        row = (subject, json.dumps(sorted(purposes)), now_s, now_s + int(SESSION.total_seconds()))
        while True:
            code = _code(random)
            # A code that lately stood for somebody else is taken, ended or not: its old owner may still type it.
            made = sql.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, 0)", (self._mac(code), *row))
            if made.rowcount:
                return SessionCode(code, from_epoch_s(row[3]))

    def find(self, sql: sqlite3.Connection, code: str, *, at: datetime) -> LiveSession | None:
        """The living session of `code`."""
        query = "SELECT subject, purposes, expires_s FROM sessions WHERE mac = ? AND ended = 0 AND expires_s > ?"
        row = sql.execute(query, (self._mac(_normal(code)), epoch_s(at))).fetchone()
        return None if row is None else LiveSession(bytes(row[0]), frozenset(json.loads(row[1])), row[2])

    def end(self, sql: sqlite3.Connection, subject: bytes, *, naming: Iterable[str] | None = None) -> int:
        """End the subject's sessions, or those that name one of these purposes; returns how many."""
        rows = sql.execute("SELECT mac, purposes FROM sessions WHERE subject = ? AND ended = 0", (subject,)).fetchall()
        wanted = None if naming is None else set(naming)
        ended = [(mac,) for mac, purposes in rows if wanted is None or wanted.intersection(json.loads(purposes))]
        sql.executemany("UPDATE sessions SET ended = 1 WHERE mac = ?", ended)
        return len(ended)

    def prune(self, sql: sqlite3.Connection, *, at: datetime) -> int:
        """Delete the sessions that expired as long ago as a session lasts; returns how many."""
        return sql.execute("DELETE FROM sessions WHERE expires_s < ?", (epoch_s(at - SESSION),)).rowcount

    def _mac(self, code: str) -> bytes:
        return self._keyring.mac("session-code", code.encode())


def _normal(code: str) -> str:
    digits = code[:16].translate(_READ_AS)
    return digits if _CODE.fullmatch(digits) else ""


def _code(random: Random) -> str:
    while True:
        number = int.from_bytes(random(4))
        if number < _FAIR_BELOW:  # else the low codes would come more often
            return f"{number % _NUMBERS:0{_DIGITS}}"
