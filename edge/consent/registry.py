"""The consent registry: what shoppers chose, in an append-only ledger, and everything derived from it."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from edge.clock import Clock, epoch_s
from edge.consent.access_codes import AccessCodes, AccessKind
from edge.consent.choices import (
    Channel,
    Choices,
    ChoicesRefused,
    Codes,
    Given,
    SessionCode,
    SubjectView,
    check_choices,
)
from edge.consent.deed import Deed
from edge.consent.ledger import Entry, rfc3339
from edge.consent.purposes import Language, PurposeBook
from edge.consent.registry_file import RegistryFile
from edge.consent.retention import Retention, RetentionReport
from edge.consent.sessions import Sessions
from edge.consent.standing import SubjectRow, find_subject, history_of, last_seq, view_of
from edge.consent.subject import Random, Subject, new_subject, subject_of, to_bytes
from edge.consent.tickets import Ticket, TicketKind, Tickets
from edge.privacy.keyring import Keyring
from edge.privacy.subject_keys import SubjectKeys

__all__ = ["ChoicesRefused", "ConsentRegistry"]

_CODES_AFTER = timedelta(days=30)
"""How long codes open the page after the last consent has run out."""


class ConsentRegistry:
    """Owns `consent.db`. Any thread may call; one writes at a time. What a method returns is committed to the disk.

    Every method that takes a subject raises `NoSuchSubject` for one that is not known.
    """

    def __init__(
        self,
        path: Path,
        *,
        keyring: Keyring,
        purposes: PurposeBook,
        clock: Clock,
        random: Random = secrets.token_bytes,
    ) -> None:
        """Open or make the database at `path`; the witness of its checkpoints lies beside it (`consent.checkpoint`).

        Raises:
            StorageError: another process owns it, or it cannot be opened.
            LedgerBroken: its end is not what was signed, or a checkpoint of it says that it went further.
        """
        self._keyring = keyring
        self._purposes = purposes
        self._clock = clock
        self._random = random
        self._codes = AccessCodes(keyring)
        self._sessions = Sessions(keyring)
        self._tickets = Tickets(keyring)
        self._keys = SubjectKeys(keyring)
        self._lock = threading.RLock()
        self._file = RegistryFile(path, keyring=keyring)

    def give(self, choices: Choices) -> Given:
        """Write down what somebody chose. A purpose refused here that was granted before is withdrawn.

        Raises:
            ChoicesRefused: the choices do not stand: a notice that was not shown or is not today's (`reason`
                `notice_changed`: show it again), a guardian or a separate confirmation is missing, or the subject is erased.
        """
        check_choices(choices, purposes=self._purposes)
        with self._deed() as deed:
            subject, codes = self._receiver(deed, choices)
            self._write_choices(deed, subject, choices)
            if codes is not None:
                deed.write("receipt", subject, channel=choices.shown.channel)
        return Given(subject=subject, act=deed.act, seq=deed.seq, at=deed.at, codes=codes)

    def withdraw(self, subject: Subject, purposes: Iterable[str] | None = None, *, channel: Channel) -> int:
        """Take back these purposes, or all, and return the subject's last sequence number.

        What was not granted is passed over. With the last one gone the subject's key, data and sessions are destroyed.
        """
        with self._deed() as deed:
            find_subject(deed.sql, subject)
            deed.take_back(subject, purposes, channel=channel)
            return last_seq(deed.sql, subject)

    def erase(self, subject: Subject, *, channel: Channel) -> int:
        """Withdraw all and destroy everything held for `subject`; returns the sequence number of the erasure.

        The link goes on opening the page, which says so; the typed code does not. Erasing twice is erasing once.
        """
        with self._deed() as deed:
            row = find_subject(deed.sql, subject)
            if row.erased_seq is not None:
                return row.erased_seq
            deed.erase(subject, channel=channel)
            return deed.seq

    def issue_codes(self, subject: Subject, *, channel: Channel) -> Codes:
        """A new receipt: new codes, and the old ones are void.

        Raises:
            ChoicesRefused: the subject is erased.
        """
        with self._deed() as deed:
            row = _alive(deed.sql, subject)
            expires_s = self._codes_expire_s(deed, row.raw)
            self._codes.void(deed.sql, row.raw)
            deed.write("receipt", subject, channel=channel)
            return self._codes.issue(deed.sql, row.raw, expires_s=expires_s, random=self._random)

    def open_session(self, subject: Subject, purposes: Iterable[str]) -> SessionCode:
        """Six digits for these purposes, ten minutes; a session that the subject had before ends.

        Raises:
            ChoicesRefused: one of the purposes does not count as granted now, or there are none.
        """
        wanted = frozenset(purposes)
        with self._deed() as deed:
            missing = sorted(wanted - self._view(deed.sql, subject).granted())
            if missing or not wanted:
                raise ChoicesRefused("not_granted", purpose=", ".join(missing), remedy="ask for consent first")
            return self._sessions.open(deed.sql, to_bytes(subject), wanted, at=deed.at, random=self._random)

    def end_sessions(self, subject: Subject) -> int:
        """End the subject's sessions; returns how many lived."""
        with self._deed() as deed:
            return self._sessions.end(deed.sql, find_subject(deed.sql, subject).raw)

    def by_code(self, code: str) -> Subject | None:
        """Whose receipt code this is, however it is written (`abcd-1234`, `ABCD 1234`); the caller limits the tries."""
        return self._owner("code", code)

    def by_link(self, token: str) -> Subject | None:
        """Whose page this is; an erased subject's too."""
        return self._owner("link", token)

    def view(self, subject: Subject) -> SubjectView:
        """How everything stands for `subject` now."""
        with self._lock:
            return self._view(self._file.sql, subject)

    def history(self, subject: Subject) -> tuple[Entry, ...]:
        """Every entry of the ledger about `subject`, oldest first."""
        with self._lock:
            find_subject(self._file.sql, subject)
            return history_of(self._file.sql, subject)

    def notice(self, version: str) -> bytes | None:
        """The content of a notice that was ever shown: `Purpose.of_content` reads it."""
        with self._lock:
            row = self._file.sql.execute("SELECT content FROM notices WHERE version = ?", (version,)).fetchone()
        return None if row is None else bytes(row[0])

    def put_data(self, subject: Subject, name: str, plaintext: bytes) -> None:
        """Keep something for `subject` under the subject's own key, in place of what had this name.

        Raises:
            ChoicesRefused: nothing is granted, so nothing may be kept.
        """
        with self._deed() as deed:
            row = _alive(deed.sql, subject)
            if row.key is None:
                raise ChoicesRefused("not_granted", remedy="ask for consent first")
            sealed = self._keys.seal(plaintext, wrapped=row.key, subject=row.raw, name=name)
            deed.sql.execute("INSERT OR REPLACE INTO subject_data VALUES (?, ?, ?)", (row.raw, name, sealed))

    def data(self, subject: Subject, name: str) -> bytes | None:
        """What is kept under this name."""
        with self._lock:
            row = find_subject(self._file.sql, subject)
            query = "SELECT sealed FROM subject_data WHERE subject = ? AND name = ?"
            found = self._file.sql.execute(query, (row.raw, name)).fetchone()
            if found is None or row.key is None:
                return None
            return self._keys.open(found[0], wrapped=row.key, subject=row.raw, name=name)

    def note_exported(self, subject: Subject, *, channel: Channel) -> int:
        """Write down that the subject's own data were handed out; returns the sequence number."""
        with self._deed() as deed:
            find_subject(deed.sql, subject)
            return deed.write("exported", subject, channel=channel)

    def open_ticket(  # the columns of a ticket
        self,
        kind: TicketKind,
        *,
        sealed: bytes,
        due: datetime,
        language: Language,
        channel: Channel,
        subject: Subject | None = None,
    ) -> Ticket:
        """Keep a question or complaint for HQ, its words sealed by the caller. Without a subject nobody can read the answer."""
        with self._deed() as deed:
            raw = None if subject is None else _alive(deed.sql, subject).raw
            ticket = Ticket(
                id=str(UUID(bytes=self._random(16), version=4)),
                kind=kind,
                language=language,
                created_at=deed.at,
                due_at=due,
                state="open",
            )
            self._tickets.add(deed.sql, ticket, sealed=sealed, subject=raw)
            deed.write("ticket", subject, ticket=ticket.id, about=kind, channel=channel)
        return ticket

    def answer_ticket(self, ticket: str, answer: str) -> bool:
        """Keep HQ's answer for the shopper's page; False where nobody can read it (no subject, erased, no such ticket)."""
        with self._deed() as deed:
            return self._tickets.answer(deed.sql, ticket, answer)

    def tickets(self, subject: Subject) -> tuple[Ticket, ...]:
        """The subject's questions and complaints, oldest first, with what was answered."""
        with self._lock:
            return self._tickets.of(self._file.sql, find_subject(self._file.sql, subject).raw)

    def retain(self, now: datetime) -> RetentionReport:
        """Delete what has outlived its time, and write down consents that have expired."""
        job = Retention(keyring=self._keyring, purposes=self._purposes, write=lambda: self._deed(at=now))
        return job.run(now)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _deed(self, *, at: datetime | None = None) -> Iterator[Deed]:
        """A transaction, committed at the end or undone as a whole."""
        with self._lock, self._file.deed(at=at or self._clock(), random=self._random) as deed:
            yield deed

    def _view(self, sql: sqlite3.Connection, subject: Subject) -> SubjectView:
        return view_of(sql, subject, purposes=self._purposes, at=self._clock())

    def _owner(self, kind: AccessKind, text: str) -> Subject | None:
        with self._lock:
            raw = self._codes.owner(self._file.sql, kind, text, at_s=epoch_s(self._clock()))
        return None if raw is None else subject_of(raw)

    def _receiver(self, deed: Deed, choices: Choices) -> tuple[Subject, Codes | None]:
        """Whose choices these are; somebody new gets a pseudonym and codes."""
        expires_s = epoch_s(deed.at + self._longest(choices) + _CODES_AFTER)
        if choices.subject is not None:
            raw = _alive(deed.sql, choices.subject).raw
            deed.sql.execute(
                "UPDATE subjects SET age_band = coalesce(?, age_band) WHERE subject = ?", (choices.age_band, raw)
            )
            self._codes.extend(deed.sql, raw, expires_s=expires_s)
            return choices.subject, None
        subject = new_subject(self._random)
        row = (to_bytes(subject), choices.age_band, epoch_s(deed.at))
        deed.sql.execute("INSERT INTO subjects VALUES (?, NULL, ?, ?, NULL)", row)
        return subject, self._codes.issue(deed.sql, row[0], expires_s=expires_s, random=self._random)

    def _write_choices(self, deed: Deed, subject: Subject, choices: Choices) -> None:
        shown = choices.shown
        said: dict[str, Any] = {"language": shown.language, "channel": shown.channel}
        if shown.versions:
            self._keep_notices(deed.sql, shown.versions)
            deed.write("shown", subject, notices=dict(shown.versions), **said)
        if choices.granted and choices.guardian is not None:
            deed.write("guardian", subject, relation=choices.guardian, channel=shown.channel)
        for purpose in sorted(choices.granted):
            separate = {"separate": True} if purpose in choices.separately else {}
            until = deed.at + timedelta(days=self._purposes.purpose(purpose).consent_days)
            notice = shown.versions[purpose]
            more = {"until": rfc3339(until), "age_band": choices.age_band, **separate, **said}
            deed.write("granted", subject, purpose=purpose, notice=notice, **more)
        if choices.granted:
            deed.give_key(subject)
        self._write_noes(deed, subject, choices, said)

    def _write_noes(self, deed: Deed, subject: Subject, choices: Choices, said: dict[str, Any]) -> None:
        """A no to what was granted before takes it back; any other no is written down as one."""
        query = "SELECT purpose FROM consents WHERE subject = ? AND state = 'granted'"
        granted = {purpose for (purpose,) in deed.sql.execute(query, (to_bytes(subject),))}
        deed.take_back(subject, choices.refused & granted, channel=choices.shown.channel)
        for purpose in sorted(choices.refused - granted):
            deed.write("refused", subject, purpose=purpose, notice=choices.shown.versions[purpose], **said)

    def _keep_notices(self, sql: sqlite3.Connection, purposes: Iterable[str]) -> None:
        shown = [self._purposes.purpose(purpose) for purpose in purposes]
        rows = [(purpose.version, purpose.id, purpose.content) for purpose in shown]
        sql.executemany("INSERT OR IGNORE INTO notices VALUES (?, ?, ?)", rows)

    def _longest(self, choices: Choices) -> timedelta:
        days = (self._purposes.purpose(purpose).consent_days for purpose in choices.granted)
        return timedelta(days=max(days, default=0))

    def _codes_expire_s(self, deed: Deed, raw: bytes) -> int:
        """Until when new codes must work: as long as the old ones, and as long as anything granted."""
        query = """SELECT max(expires_s) FROM (SELECT expires_s FROM access WHERE subject = ?1
                   UNION ALL SELECT expires_s FROM consents WHERE subject = ?1 AND state = 'granted')"""
        (latest_s,) = deed.sql.execute(query, (raw,)).fetchone()
        return max(latest_s or 0, epoch_s(deed.at + _CODES_AFTER))


def _alive(sql: sqlite3.Connection, subject: Subject) -> SubjectRow:
    """The subject's row.

    Raises:
        ChoicesRefused: the subject is erased.
    """
    row = find_subject(sql, subject)
    if row.erased_seq is not None:
        raise ChoicesRefused("erased", remedy="begin anew, with a new receipt")
    return row
