"""What HQ answers to a batch, after its database has committed."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from edge.errors import ThresholdError

__all__ = ["NOTHING_COMMITTED", "Receipt", "ReceiptMismatch", "RejectedEvent", "settled"]

NOTHING_COMMITTED = "0" * 20
"""The `committed_through` of a batch of which no event was fit to keep; the outbox counts from 1."""


class ReceiptMismatch(ThresholdError):
    """A receipt that does not add up to the batch it answers; nothing may be believed done because of it."""


class RejectedEvent(BaseModel):
    """An event HQ will never take, by its place in the batch. `reason` holds nothing of the event's own values."""

    model_config = ConfigDict(frozen=True)
    index: int = Field(ge=0)
    id: str | None = Field(default=None, max_length=80)
    reason: str = Field(max_length=300)


class Receipt(BaseModel):
    """Everything up to `committed_through` is in HQ's database: `new` by this batch, `duplicates` from before."""

    model_config = ConfigDict(frozen=True)
    committed_through: str = Field(pattern=r"^[0-9]{20}$")
    new: int = Field(ge=0)
    duplicates: int = Field(ge=0)
    rejected: tuple[RejectedEvent, ...] = ()


def settled(receipt: Receipt, sequences: Sequence[int]) -> int:
    """How many events, from the front of the batch, HQ has either committed or refused for good.

    `sequences` are the batch's own, ascending. What follows the first open event stays open, whatever HQ says of it:
    the position is one number, and it must never pass an event that may be lost.

    Raises:
        ReceiptMismatch: the receipt speaks of events that were not sent, or its sums are wrong.
    """
    through = int(receipt.committed_through)
    rejected = {event.index for event in receipt.rejected}
    committed = {index for index, sequence in enumerate(sequences) if sequence <= through} - rejected
    if rejected and max(rejected) >= len(sequences):
        raise _mismatch("it rejects an event that was not sent")
    if sequences and through > sequences[-1]:
        raise _mismatch("it acknowledges more than was sent")
    if receipt.new + receipt.duplicates != len(committed):
        raise _mismatch(f"it counts {receipt.new + receipt.duplicates} events where {len(committed)} were committed")
    return next((i for i in range(len(sequences)) if i not in committed | rejected), len(sequences))


def _mismatch(what: str) -> ReceiptMismatch:
    return ReceiptMismatch("read HQ's receipt", what, "the batch is sent again")
