"""The next events to send, read from the gateway's outbox without writing there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from edge.outbox.events import Event
from edge.outbox.table import read_after
from edge.storage.database import open_reader

__all__ = ["Batch", "Outgoing", "read_batch", "unfit_reason"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event as it lies in the outbox: CloudEvent JSON."""

    sequence: int
    event: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the store's order, and the life of `store.db` they belong to. May be empty."""

    incarnation: str
    events: tuple[Outgoing, ...]


def read_batch(store_db: Path, *, position: Callable[[str], int], max_events: int, max_bytes: int) -> Batch:
    """The next events past `position(incarnation)`; one event at least, however large, when any waits.

    Raises:
        StorageError: there is no `store.db` yet.
        sqlite3.Error: it cannot be read, or has no tables yet.
    """
    with open_reader(store_db) as connection:
        connection.execute("BEGIN")  # both reads see one state, even if store.db is at work
        incarnation = _incarnation(connection)
        rows = read_after(connection, after=position(incarnation), limit=max_events)
        connection.execute("COMMIT")
    return Batch(incarnation, tuple(_within(max_bytes, (Outgoing(*row) for row in rows))))


def unfit_reason(event: bytes, *, source: str) -> str | None:
    """Why `event` must not leave, or None: the last look before anything goes out, by schema and source."""
    try:
        parsed = Event.model_validate_json(event)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"not an event of the outbox's schema: {first['type']}"
    return None if parsed.source == source else "source is another store's"


def _incarnation(connection: sqlite3.Connection) -> str:
    (incarnation,) = connection.execute("SELECT incarnation FROM identity").fetchone()
    return str(incarnation)


def _within(max_bytes: int, events: Iterable[Outgoing]) -> Iterable[Outgoing]:
    size = 0
    for outgoing in events:
        size += len(outgoing.event) + 1
        if size > max_bytes and size > len(outgoing.event) + 1:
            return
        yield outgoing
