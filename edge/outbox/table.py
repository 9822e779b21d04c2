"""The outbox table: events on their way to HQ, in the store's own order."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from edge.outbox.events import Body, Event

__all__ = ["Outbox", "Waiting", "read_after", "waiting"]


class _Transaction(Protocol):
    def next_sequence(self) -> int: ...
    def enqueue(self, sequence: int, event_json: str, *, at: datetime) -> None: ...


class Outbox:
    """Turns a body that may leave into an event with the next sequence number, inside the caller's transaction."""

    def __init__(self, *, store: str, incarnation: str) -> None:
        self._store = store
        self._incarnation = incarnation

    def put(
        self,
        tx: _Transaction,
        body: Body,
        *,
        at: datetime,
        historical: bool = False,
    ) -> Event:
        """Enqueue `body`; durable when the transaction commits."""
        sequence = tx.next_sequence()
        event = Event.of(
            body, store=self._store, incarnation=self._incarnation, sequence=sequence, time=at, historical=historical
        )
        tx.enqueue(sequence, event.model_dump_json(), at=at)
        return event


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not reached HQ: how many events, since when (seconds since 1970), how many bytes."""

    events: int
    oldest_s: int | None
    bytes: int


def waiting(connection: sqlite3.Connection, *, after: int) -> Waiting:
    """The state of the outbox in `store.db` past the sequence HQ has acknowledged."""
    count, oldest_s, size = connection.execute(
        "SELECT count(*), min(enqueued_s), coalesce(sum(length(event)), 0) FROM outbox WHERE sequence > ?", (after,)
    ).fetchone()
    return Waiting(count, oldest_s, size)


def read_after(connection: sqlite3.Connection, *, after: int, limit: int) -> list[tuple[int, bytes]]:
    """The next events past `after`, oldest first, as (sequence, CloudEvent JSON)."""
    rows = connection.execute(
        "SELECT sequence, event FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
    )
    return [(sequence, bytes(event)) for sequence, event in rows]
