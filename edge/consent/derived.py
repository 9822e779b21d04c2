"""What follows from the ledger: how each purpose stands for each subject. Written by this rule and verified by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from edge.clock import epoch_s
from edge.consent.ledger import Fields

__all__ = ["DECISIONS", "ConsentRow", "DecidedState", "SubjectState", "consent_row"]

DecidedState = Literal["granted", "refused", "withdrawn", "expired"]
DECISIONS = frozenset(get_args(DecidedState))
"""The kinds of entries that decide about a purpose; each is also the state that it leads to."""


class ConsentRow(NamedTuple):
    """A row of the table `consents`, without its subject."""

    purpose: str
    state: DecidedState
    notice: str
    since_seq: int
    expires_s: int | None


def consent_row(fields: Fields) -> ConsentRow | None:
    """The row that an entry leads to, if it decides about a purpose."""
    kind = fields["kind"]
    if kind not in DECISIONS:
        return None
    until = fields.get("until")
    expires_s = None if until is None else epoch_s(datetime.fromisoformat(until))
    return ConsentRow(fields["purpose"], kind, fields["notice"], fields["seq"], expires_s)


@dataclass(slots=True)
class SubjectState:
    """One subject's rows, folded from the subject's entries in order."""

    rows: dict[str, ConsentRow] = field(default_factory=dict)
    erased_seq: int | None = None
    last_seq: int = 0

    def add(self, fields: Fields) -> None:
        """Take the subject's next entry."""
        self.last_seq = fields["seq"]
        row = consent_row(fields)
        if row is not None:
            self.rows[row.purpose] = row
        elif fields["kind"] == "erased":
            self.rows.clear()
            self.erased_seq = fields["seq"]

    @property
    def key_lives(self) -> bool:
        """Whether the subject has a key: as long as something is granted."""
        return any(row.state == "granted" for row in self.rows.values())
