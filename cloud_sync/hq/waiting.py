"""What shoppers wait for at HQ: answers to their questions, and the erasure of what HQ holds on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud_sync.hq.schema import erasures, tickets
from edge.clock import epoch_s
from edge.outbox.events import Erasure, Event, Ticket

__all__ = ["Waiting", "add_to_waiting", "body_to_keep", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of one store's shoppers wait. `overdue`: those tickets whose answer should have come by now."""

    tickets: int = 0
    overdue: int = 0
    erasures: int = 0


def add_to_waiting(connection: Connection, store: str, new: Sequence[Event], *, at: datetime) -> None:
    """Keep the questions and erasures among events that HQ did not have, inside the transaction that keeps them.

    A ticket or an erasure that comes again under another event's id, from a store restored from a backup, is kept once.
    """
    bodies = [event.data for event in new]
    asked = [_ticket_row(store, body, at=at) for body in bodies if isinstance(body, Ticket)]
    erase = [_erasure_row(store, body, at=at) for body in bodies if isinstance(body, Erasure)]
    _add(connection, tickets, asked)
    _add(connection, erasures, erase)


def body_to_keep(event: Event) -> dict[str, Any]:
    """An event's data without a ticket's sealed words: those lie in one place, where an erasure finds them."""
    return event.data.model_dump(mode="json", exclude={"sealed"} if isinstance(event.data, Ticket) else None)


def waiting(connection: Connection, *, now: datetime) -> dict[str, Waiting]:
    """Each store that has somebody waiting."""
    open_tickets = select(tickets.c.store, func.count()).where(tickets.c.answered_s.is_(None))
    asked = _by_store(connection, open_tickets.group_by(tickets.c.store))
    late = _by_store(connection, open_tickets.where(tickets.c.due_s < epoch_s(now)).group_by(tickets.c.store))
    undone = select(erasures.c.store, func.count(erasures.c.subject.distinct())).where(erasures.c.done_s.is_(None))
    erase = _by_store(connection, undone.group_by(erasures.c.store))
    return {
        store: Waiting(asked.get(store, 0), late.get(store, 0), erase.get(store, 0))
        for store in sorted({*asked, *erase})
    }


def _by_store(connection: Connection, query: Select[Any]) -> dict[str, int]:
    return {store: int(number) for store, number in connection.execute(query)}


def _ticket_row(store: str, body: Ticket, *, at: datetime) -> dict[str, Any]:
    words = {"about": body.about, "language": body.language, "sealed": body.sealed}
    return {"store": store, "ticket": body.ticket, **words, "due_s": epoch_s(body.due), "received_s": epoch_s(at)}


def _erasure_row(store: str, body: Erasure, *, at: datetime) -> dict[str, Any]:
    times = {"asked_s": epoch_s(body.asked_at), "received_s": epoch_s(at)}
    return {"store": store, "subject": body.subject, "ledger_seq": body.ledger_seq, **times}


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
