"""Till transactions to sales facts."""

from __future__ import annotations

from datetime import datetime

from edge.facts import SaleMade
from edge.messages import PosTransaction

__all__ = ["sale_of"]


def sale_of(transaction: PosTransaction, *, till: str, at: datetime) -> SaleMade | None:
    """The fact a transaction at `at` leaves behind; None for a till in training mode, whose sales are not sales.

    Goods that come back (return, void) count negative, so that a window's sums are what the shop took.
    """
    if transaction.training:
        return None
    sign = 1 if transaction.kind == "sale" else -1
    return SaleMade(
        occurred_at=at,
        till=till,
        kind=transaction.kind,
        currency=transaction.currency,
        units=sign * sum(line.quantity for line in transaction.lines),
        total_minor=sign * transaction.total_minor,
        tax_minor=sign * transaction.tax_minor,
    )
