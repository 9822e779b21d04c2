"""Questions and complaints on their way to HQ, and the answers that come back."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.clock import epoch_s, from_epoch_s
from edge.consent.purposes import Language
from edge.privacy.keyring import Keyring

__all__ = ["Ticket", "TicketKind", "TicketState", "Tickets"]

TicketKind = Literal["question", "complaint"]
TicketState = Literal["open", "answered"]
_COLUMNS = "id, kind, language, created_s, due_s, state, answer"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ticket:
    """A question or complaint; its words are sealed to HQ. `answer` is readable only on the subject's own page."""

    id: str
    kind: TicketKind
    language: Language
    created_at: datetime
    due_at: datetime
    state: TicketState
    answer: str | None = None

    def __repr__(self) -> str:
        return f"Ticket(id={self.id!r}, kind={self.kind!r}, state={self.state!r})"


class Tickets:
    """Keeps tickets, inside a transaction of the caller's. An answer lies wrapped by the keyring until its shopper reads it."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def add(self, sql: sqlite3.Connection, ticket: Ticket, *, sealed: bytes, subject: bytes | None) -> None:
        """Keep a new ticket; `sealed` are its words, which nobody here can read."""
        row = (ticket.id, subject, ticket.kind, ticket.language, epoch_s(ticket.created_at), epoch_s(ticket.due_at))
        sql.execute("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, 'open', ?, NULL)", (*row, sealed))

    def answer(self, sql: sqlite3.Connection, ticket: str, answer: str) -> bool:
        """Keep an answer; False where there is no such ticket, or nobody who could read it."""
        blob = self._keyring.wrap(answer.encode(), context=_context(ticket))
        update = "UPDATE tickets SET state = 'answered', answer = ? WHERE id = ? AND subject IS NOT NULL"
        return sql.execute(update, (blob, ticket)).rowcount == 1

    def of(self, sql: sqlite3.Connection, subject: bytes) -> tuple[Ticket, ...]:
        """The subject's tickets, oldest first."""
        query = f"SELECT {_COLUMNS} FROM tickets WHERE subject = ? ORDER BY created_s, rowid"  # noqa: S608  a constant
        return tuple(self._ticket(*row) for row in sql.execute(query, (subject,)))

    def _ticket(  # the columns
        self,
        ticket: str,
        kind: TicketKind,
        language: Language,
        created_s: int,
        due_s: int,
        state: TicketState,
        blob: bytes | None,
    ) -> Ticket:
        return Ticket(
            id=ticket,
            kind=kind,
            language=language,
            created_at=from_epoch_s(created_s),
            due_at=from_epoch_s(due_s),
            state=state,
            answer=None if blob is None else self._keyring.unwrap(blob, context=_context(ticket)).decode(),
        )


def _context(ticket: str) -> bytes:
    return b"ticket-answer\n" + ticket.encode()
