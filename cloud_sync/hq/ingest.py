"""Taking a batch: each event once, its figures in the same transaction, the receipt after the commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from unicodedata import category

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, insert, select, update

from cloud_sync.hq.figures import add_to_figures
from cloud_sync.hq.schema import events, stores
from cloud_sync.hq.waiting import add_to_waiting, body_to_keep
from cloud_sync.receipt import NOTHING_COMMITTED, Receipt, RejectedEvent
from edge.clock import epoch_s
from edge.errors import ThresholdError
from edge.outbox.events import CountReleased, Erasure, Event, SalesWindow, event_batch

__all__ = ["UnknownStore", "ingest"]

_LARGEST_FIGURE = 10**15
"""Far above any shop's window, far below where a 64-bit sum of them would overflow."""
_LARGEST_SEQUENCE = 2**63 - 1
_FIELD = re.compile(r"[a-z_]{1,40}")
_UNWRITABLE = frozenset({"Cc", "Cs"})
"""Control characters and lone surrogates: PostgreSQL cannot keep the one, UTF-8 not the other."""


class UnknownStore(ThresholdError):
    """The store was taken off while it was sending."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    index: int
    event: Event
    digest: str


def ingest(engine: Engine, *, store: str, batch: Sequence[object], at: datetime) -> Receipt:
    """Commit what is fit of `batch` (parsed JSON) and say what became of each event.

    Raises:
        UnknownStore: there is no such store.
        sqlalchemy.exc.SQLAlchemyError: nothing was committed.
    """
    checked = [_check(index, item, source=f"threshold/stores/{store}") for index, item in enumerate(batch)]
    rejected = [item for item in checked if isinstance(item, RejectedEvent)]
    candidates = [item for item in checked if isinstance(item, _Candidate)]
    with engine.begin() as connection:
        _seen(connection, store, at=at)  # also takes the store's row: two batches of one store take turns
        new, duplicates, conflicts = _sort_out(connection, candidates)
        _keep(connection, new, at=at)
        add_to_figures(connection, store, [candidate.event for candidate in new])
        add_to_waiting(connection, store, [candidate.event for candidate in new], at=at)
    committed = [int(candidate.event.sequence) for candidate in (*new, *duplicates)]
    return Receipt(
        committed_through=f"{max(committed):020d}" if committed else NOTHING_COMMITTED,
        new=len(new),
        duplicates=len(duplicates),
        rejected=tuple(sorted((*rejected, *conflicts), key=lambda event: event.index)),
    )


def _check(index: int, item: object, *, source: str) -> _Candidate | RejectedEvent:
    try:
        (event,) = event_batch.validate_python([item])
    except ValidationError as error:
        return RejectedEvent(index=index, id=_id_of(item), reason=_why(error))
    reason = next(_faults(event, source=source), None)
    if reason is not None:
        return RejectedEvent(index=index, id=event.id, reason=reason)
    return _Candidate(index, event, sha256(event.model_dump_json().encode()).hexdigest())


def _faults(event: Event, *, source: str) -> Iterator[str]:
    """What the schema cannot say: why an event that is well formed must still not be kept."""
    if event.source != source:
        yield "source is not this store"
    if event.type != f"threshold.{event.data.kind}.v1":
        yield "type is not that of data"
    if any(category(letter) in _UNWRITABLE for text in _texts(event) for letter in text):
        yield "a text holds control characters"
    numbers = (int(event.sequence), event.data.ledger_seq if isinstance(event.data, Erasure) else 0)
    if any(not 1970 <= moment.year < 3000 for moment in _moments(event)) or max(numbers) > _LARGEST_SEQUENCE:
        yield "a time or the sequence is beyond all measure"
    if isinstance(event.data, CountReleased | SalesWindow):
        if event.data.end <= event.data.start:
            yield "data.end is not after data.start"
        if not all(abs(figure) <= _LARGEST_FIGURE for figure in _figures(event.data)):
            yield "a figure is beyond all measure"


def _texts(event: Event) -> Iterator[str]:
    yield event.id
    yield from (value for _, value in event.data if isinstance(value, str))


def _moments(event: Event) -> Iterator[datetime]:
    yield event.time
    yield from (value for _, value in event.data if isinstance(value, datetime))


def _figures(window: CountReleased | SalesWindow) -> Iterator[float]:
    return (value for _, value in window if isinstance(value, int | float))


def _why(error: ValidationError) -> str:
    """Which field, and which rule by its name: the rule's message may quote what was sent."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) if _FIELD.fullmatch(str(part)) else "?" for part in problem["loc"][1:])
    return f"{where or 'event'}: {problem['type']}"


def _id_of(item: object) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= 80 else None


def _seen(connection: Connection, store: str, *, at: datetime) -> None:
    touched = connection.execute(update(stores).where(stores.c.store == store).values(last_seen_s=epoch_s(at)))
    if touched.rowcount != 1:
        raise UnknownStore("take events", f"no store {store}", "add it with `threshold hq add-store`")


def _sort_out(
    connection: Connection, candidates: Sequence[_Candidate]
) -> tuple[list[_Candidate], list[_Candidate], list[RejectedEvent]]:
    """What is new, what HQ has, and what bears an id that another event has: a store restored from an old backup."""
    known = _digests(connection, candidates)
    new: list[_Candidate] = []
    duplicates: list[_Candidate] = []
    conflicts: list[RejectedEvent] = []
    for candidate in candidates:
        event_id = candidate.event.id
        if event_id not in known:
            known[event_id] = candidate.digest
            new.append(candidate)
        elif known[event_id] == candidate.digest:
            duplicates.append(candidate)
        else:
            conflicts.append(RejectedEvent(index=candidate.index, id=event_id, reason="another event has this id"))
    return new, duplicates, conflicts


def _digests(connection: Connection, candidates: Sequence[_Candidate]) -> dict[str, str]:
    """The digests of those candidates' ids that HQ has; all candidates are of one source."""
    if not candidates:
        return {}
    rows = connection.execute(
        select(events.c.id, events.c.digest)
        .where(events.c.source == candidates[0].event.source)
        .where(events.c.id.in_([candidate.event.id for candidate in candidates]))
    )
    return {row.id: row.digest for row in rows}


def _keep(connection: Connection, candidates: Sequence[_Candidate], *, at: datetime) -> None:
    if candidates:
        connection.execute(insert(events), [_row(candidate, received_s=epoch_s(at)) for candidate in candidates])


def _row(candidate: _Candidate, *, received_s: int) -> dict[str, Any]:
    event = candidate.event
    return {
        "source": event.source,
        "id": event.id,
        "sequence": int(event.sequence),
        "type": event.type,
        "time": event.time.astimezone(UTC).isoformat(),
        "historical": event.historical,
        "received_s": received_s,
        "digest": candidate.digest,
        "data": body_to_keep(event),
    }
