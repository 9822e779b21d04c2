"""A deed: ledger entries that belong together, and all that follows from them, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from edge.consent.access_codes import AccessCodes
from edge.consent.checkpoint import Checkpoint, is_due, sign
from edge.consent.choices import Channel
from edge.consent.derived import consent_row
from edge.consent.ledger import GENESIS, Entry, Fields, Kind, link_hash, rfc3339
from edge.consent.sessions import Sessions
from edge.consent.subject import Random, Subject, to_bytes
from edge.privacy.keyring import Keyring
from edge.privacy.subject_keys import SubjectKeys

__all__ = ["Deed"]

_SIGNED = "(seq, hash, at, signature, key_id) VALUES (?, ?, ?, ?, ?)"


class Deed:
    """What may be done inside one transaction of `consent.db`. `finish` signs the new head; without it nothing stands."""

    def __init__(self, sql: sqlite3.Connection, *, keyring: Keyring, at: datetime, random: Random) -> None:
        self.sql = sql
        self.act = str(UUID(bytes=random(16), version=4))
        self.at = datetime.fromisoformat(rfc3339(at))  # to the millisecond, as the entries have it
        self.key_destroyed = False
        head = sql.execute("SELECT seq, hash FROM head").fetchone()
        self.seq: int = 0 if head is None else head[0]
        self._hash: bytes = GENESIS if head is None else head[1]
        self._begun_at = self.seq
        self._keyring = keyring
        self._codes = AccessCodes(keyring)
        self._sessions = Sessions(keyring)

    def write(
        self,
        kind: Kind,
        subject: Subject | None = None,
        *,
        purpose: str | None = None,
        notice: str | None = None,
        **details: object,
    ) -> int:
        """Append an entry, and change what follows from it; returns its number."""
        entry = Entry(
            seq=self.seq + 1,
            at=self.at,
            kind=kind,
            act=self.act,
            subject=subject,
            purpose=purpose,
            notice=notice,
            details=details,
        )
        raw = entry.encode()
        digest = link_hash(self._hash, raw)
        row = (entry.seq, None if subject is None else to_bytes(subject), raw, digest)
        self.sql.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", row)
        self.seq, self._hash = entry.seq, digest
        if subject is not None:
            self._derive(to_bytes(subject), entry.fields())
        return entry.seq

    def take_back(
        self,
        subject: Subject,
        purposes: Iterable[str] | None = None,
        *,
        kind: Literal["withdrawn", "expired"] = "withdrawn",
        channel: Channel,
    ) -> int:
        """End what is granted for these purposes, or all; with the last one the subject's key and data go. Returns how many."""
        raw = to_bytes(subject)
        query = "SELECT purpose, notice FROM consents WHERE subject = ? AND state = 'granted' ORDER BY purpose"
        granted = self.sql.execute(query, (raw,)).fetchall()
        wanted = {purpose for purpose, _ in granted} if purposes is None else set(purposes)
        gone = [(purpose, notice) for purpose, notice in granted if purpose in wanted]
        if not gone:
            return 0
        destroyed = {"key": "destroyed"} if len(gone) == len(granted) else {}
        for purpose, notice in gone:
            self.write(kind, subject, purpose=purpose, notice=notice, channel=channel, **destroyed)
        self._sessions.end(self.sql, raw, naming=wanted)
        if destroyed:
            self._destroy_key(raw)
        return len(gone)

    def erase(self, subject: Subject, *, channel: Channel) -> None:
        """End everything and destroy what is held; what stays is the pseudonym, the ledger, and the link to the page."""
        raw = to_bytes(subject)
        self.take_back(subject, channel=channel)
        seq = self.write("erased", subject, channel=channel, key="destroyed")
        self._destroy_key(raw)
        self._codes.leave_only_the_page(self.sql, raw, at_s=int(self.at.timestamp()))
        for table in ("sessions", "tickets"):
            self.sql.execute(f"DELETE FROM {table} WHERE subject = ?", (raw,))  # noqa: S608  our own names
        self.sql.execute("UPDATE subjects SET age_band = NULL, erased_seq = ? WHERE subject = ?", (seq, raw))

    def give_key(self, subject: Subject) -> None:
        """See that `subject` has a key of its own."""
        raw = to_bytes(subject)
        key = SubjectKeys(self._keyring).make(raw)
        self.sql.execute("UPDATE subjects SET key = ? WHERE subject = ? AND key IS NULL", (key, raw))

    def finish(self) -> Checkpoint | None:
        """Sign the new head; returns a checkpoint where one was due, to be written to the witness after the commit."""
        if self.seq == self._begun_at:
            return None
        head = sign(
            self.seq,
            self._hash,
            at=rfc3339(self.at),
            key=self._keyring.signing_key(),
            key_id=self._keyring.signing_key_id(),
        )
        row = (head.seq, head.hash, head.at, head.signature, head.key_id)
        self.sql.execute("DELETE FROM head")
        self.sql.execute(f"INSERT INTO head {_SIGNED}", row)
        last = self.sql.execute("SELECT seq, at FROM checkpoints ORDER BY seq DESC LIMIT 1").fetchone()
        if not is_due(last, seq=self.seq, at=self.at):
            return None
        self.sql.execute(f"INSERT INTO checkpoints {_SIGNED}", row)
        return head

    def _derive(self, subject: bytes, fields: Fields) -> None:
        row = consent_row(fields)
        if row is not None:
            self.sql.execute("INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?, ?)", (subject, *row))
        elif fields["kind"] == "erased":
            self.sql.execute("DELETE FROM consents WHERE subject = ?", (subject,))

    def _destroy_key(self, subject: bytes) -> None:
        """Overwrite the key (`secure_delete` is on) and delete what it opened."""
        self.sql.execute("UPDATE subjects SET key = NULL WHERE subject = ?", (subject,))
        self.sql.execute("DELETE FROM subject_data WHERE subject = ?", (subject,))
        self.key_destroyed = True
