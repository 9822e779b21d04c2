"""The one internal form of what a till says: signs settled, sums agreed, whichever way it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from edge.messages import Customer, TenderKind, TransactionKind

__all__ = ["Paid", "Sale", "SoldLine"]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """Units of one article that went over the counter, seen from the shop: below zero they came back."""

    sku: str = field(repr=False)
    units: int
    total_minor: int
    discount_minor: int


@dataclass(frozen=True, slots=True)
class Paid:
    """Money that came in one way, seen from the shop: below zero it was paid out. `reference` is the payment's own number."""

    kind: TenderKind
    amount_minor: int
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sale:
    """One transaction in minor units of `currency` (ISO 4217), seen from the shop: what came back or was undone is negative.

    `total_minor` is what the customer owed, tax included, before cash was rounded by `rounding_minor`; `discount_minor` is
    what was taken off on lines and slip together. A cancelled transaction has neither lines nor money.
    """

    message_id: UUID
    captured_at: datetime
    kind: TransactionKind
    currency: str
    lines: tuple[SoldLine, ...]
    total_minor: int
    tax_minor: int
    discount_minor: int
    rounding_minor: int
    tenders: tuple[Paid, ...]
    training: bool = False
    reference: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    customer: Customer | None = None

    @property
    def units(self) -> int:
        """Units sold, less units that came back."""
        return sum(line.units for line in self.lines)

    @property
    def net_minor(self) -> int:
        """The total without tax."""
        return self.total_minor - self.tax_minor

    @property
    def returned(self) -> tuple[SoldLine, ...]:
        """The lines that came back; none in a void, which undoes."""
        return () if self.kind == "void" else tuple(line for line in self.lines if line.units < 0)

    @property
    def by_tender(self) -> dict[TenderKind, int]:
        """What was paid in each way."""
        sums: dict[TenderKind, int] = {}
        for paid in self.tenders:
            sums[paid.kind] = sums.get(paid.kind, 0) + paid.amount_minor
        return sums
