"""An act: what somebody decided in one go, gathered from the ledger entries that share its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any, Literal, Self

from edge.consent.choices import Channel, Relation
from edge.consent.ledger import Entry
from edge.consent.purposes import AgeBand, Language
from edge.consent.subject import Subject
from edge.errors import ThresholdError

__all__ = ["Act", "Decision", "NoRecord", "State", "acts_of"]

State = Literal["given", "refused", "withdrawn", "expired"]
"""What consent is after a decision, by the words of TS 27560's lifecycle."""

_STATES: Mapping[str, State] = MappingProxyType(
    {"granted": "given", "refused": "refused", "withdrawn": "withdrawn", "expired": "expired"}
)


class NoRecord(ThresholdError):
    """A consent record cannot be made of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one purpose.

    `notice`: the version that was answered. `valid_for`: zero unless consent was given. `separate`: whether it was confirmed
    on a screen of its own.
    """

    seq: int
    purpose: str
    notice: str
    state: State
    valid_for: timedelta = timedelta()
    separate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Decisions of one subject at one moment.

    `shown`: the notices on the screen, by purpose, whether or not they were answered. `language`, `age_band` are None where
    the ledger does not say, as in a withdrawal.
    """

    id: str
    at: datetime
    subject: Subject
    channel: Channel
    decisions: tuple[Decision, ...]
    shown: Mapping[str, str]
    language: Language | None = None
    age_band: AgeBand | None = None
    guardian: Relation | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """The act of these entries, all of which share its id.

        Raises:
            NoRecord: nothing was decided in them, or they belong to several acts.
        """
        rows = tuple(entries)
        decided = [entry for entry in rows if entry.kind in _STATES]
        if not decided or len({entry.act for entry in rows}) > 1:
            raise NoRecord(
                "make consent record", "the entries are not one act with a decision", "give one act's entries"
            )
        first = decided[0]
        if first.subject is None:
            raise NoRecord(
                "make consent record", f"entry {first.seq} names no subject", "run `threshold consent verify`"
            )
        details = _merged(rows)
        return cls(
            id=first.act,
            at=first.at,
            subject=first.subject,
            channel=details["channel"],
            decisions=(decisions := tuple(_decision(entry) for entry in decided)),
            shown=details.get("notices") or {decision.purpose: decision.notice for decision in decisions},
            language=details.get("language"),
            age_band=details.get("age_band"),
            guardian=details.get("relation"),
        )


def acts_of(entries: Iterable[Entry]) -> Iterator[Act]:
    """Every act with a decision among a subject's entries, in their order."""
    for _, rows in groupby(entries, key=lambda entry: entry.act):
        act = tuple(rows)
        if any(entry.kind in _STATES for entry in act):
            yield Act.of(act)


def _merged(rows: Iterable[Entry]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for entry in rows:
        merged.update(entry.details)
    return merged


def _decision(entry: Entry) -> Decision:
    if entry.purpose is None or entry.notice is None:
        raise NoRecord(
            "make consent record", f"entry {entry.seq} lacks its purpose or notice", "run `threshold consent verify`"
        )
    until = entry.details.get("until")
    valid_for = datetime.fromisoformat(until) - entry.at if until is not None else timedelta()
    return Decision(
        seq=entry.seq,
        purpose=entry.purpose,
        notice=entry.notice,
        state=_STATES[entry.kind],
        valid_for=valid_for,
        separate=bool(entry.details.get("separate")),
    )
