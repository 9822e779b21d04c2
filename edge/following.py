"""The gateway follows the consent ledger: what was decided there has its effect here once, in the store's own transaction."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, cast

import structlog

from edge.consent.ledger import GENESIS, Chain, Entry, LedgerBroken
from edge.consent.reader import ConsentReader, LedgerRow
from edge.consent.subject import Subject
from edge.errors import StorageError
from edge.facts import ConsentDecided, Fact
from edge.outbox.events import Body, Erasure, Event, Ticket

__all__ = ["ConsentFollower"]

log = structlog.get_logger(__name__)

_AT_ONCE = 500
_DECISIONS = ("granted", "refused", "withdrawn")


class _Transaction(Protocol):
    def consent_position(self) -> tuple[int, bytes]: ...
    def followed_consent(self, seq: int, digest: bytes) -> None: ...
    def next_sequence(self) -> int: ...
    def enqueue(self, sequence: int, event_json: str, *, at: datetime) -> None: ...


class _Outbox(Protocol):
    def put(self, tx: _Transaction, body: Body, *, at: datetime) -> Event: ...


class ConsentFollower:
    """Turns new ledger entries into counts, erasures and tickets. One thread runs it; any may ask `doubt`.

    The position it keeps is a witness: a ledger that is shorter than it was, or another one, is not believed any more.
    """

    def __init__(self, reader: ConsentReader) -> None:
        self._reader = reader
        self._doubt: str | None = None

    def doubt(self) -> str | None:
        """Why the registry must not be believed, fit for a device's screen; None while nothing is wrong with it."""
        return self._doubt

    def run(self, tx: _Transaction, *, outbox: _Outbox, now: datetime) -> list[Fact]:
        """Let the next entries have their effect in `tx`; returns the anonymous facts among it."""
        seq, digest = tx.consent_position()
        try:
            chain = Chain(seq, digest or GENESIS)
            if seq and self._reader.hash_at(seq) != digest:
                raise LedgerBroken(seq, "it is not what was there before")
            rows = self._reader.entries_after(seq, limit=_AT_ONCE)
            entries = [_decoded(chain, row) for row in rows]
        except StorageError:
            return []  # no registry, or not now: the gate says no by itself
        except LedgerBroken as error:
            self._note(error)
            return []
        self._doubt = None
        if not entries:
            return []
        self._pass_on(tx, entries, outbox=outbox, now=now)
        tx.followed_consent(chain.seq, chain.hash)
        return list(_facts(entries))

    def _note(self, error: LedgerBroken) -> None:
        if self._doubt is None:
            log.error("consent.ledger_broken", seq=error.seq, what=error.what)
        self._doubt = "the consent ledger is damaged"

    def _pass_on(self, tx: _Transaction, entries: Sequence[Entry], *, outbox: _Outbox, now: datetime) -> None:
        """Erasures before anything else of the same turn: they are what somebody waits for."""
        for erasure in _erasures(entries):
            outbox.put(tx, erasure, at=now)
        for entry in entries:
            if entry.kind == "ticket":
                self._send_ticket(tx, str(entry.details["ticket"]), outbox=outbox, now=now)

    def _send_ticket(self, tx: _Transaction, ticket: str, *, outbox: _Outbox, now: datetime) -> None:
        found = self._reader.ticket(ticket)
        if found is None:
            return  # erased before it left
        body = Ticket(
            ticket=found.id,
            about=found.kind,
            language=cast("Literal['en', 'zh-CN']", found.language),
            due=found.due_at,
            sealed=b64encode(found.sealed).decode(),
        )
        outbox.put(tx, body, at=now)


def _decoded(chain: Chain, row: LedgerRow) -> Entry:
    chain.add(row.seq, row.subject, row.entry, row.hash)
    return Entry.decode(row.entry)


def _erasures(entries: Iterable[Entry]) -> Iterable[Erasure]:
    """One for each deed that destroyed somebody's key or erased them, by its last such entry."""
    last: dict[tuple[Subject, str], Entry] = {}
    for entry in entries:
        if entry.subject is not None and (entry.kind == "erased" or entry.details.get("key") == "destroyed"):
            last[entry.subject, entry.act] = entry
    for (subject, _), entry in last.items():
        yield Erasure(subject=subject, asked_at=entry.at, ledger_seq=entry.seq)


def _facts(entries: Iterable[Entry]) -> Iterable[Fact]:
    for entry in entries:
        if entry.purpose is not None and entry.kind in _DECISIONS:
            decision = cast("Literal['granted', 'refused', 'withdrawn']", entry.kind)
            yield ConsentDecided(entry.at, entry.purpose, decision)
