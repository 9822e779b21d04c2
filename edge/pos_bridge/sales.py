"""Till transactions to sales facts."""

from __future__ import annotations

from datetime import datetime

from edge.facts import SaleMade
from edge.messages import PosTransaction
from edge.pos_bridge.native import sale_from
from edge.pos_bridge.sale import Sale

__all__ = ["fact_of", "sale_of"]


def fact_of(sale: Sale, *, till: str, at: datetime) -> SaleMade | None:
    """The fact a sale at `at` leaves behind; None for a till in training mode, whose sales are not sales.

    Goods that come back (return, void) count negative, so that a window's sums are what the shop took. Who bought, and
    what, is no part of it.
    """
    if sale.training:
        return None
    return SaleMade(
        occurred_at=at,
        till=till,
        kind=sale.kind,
        currency=sale.currency,
        units=sale.units,
        total_minor=sale.total_minor,
        tax_minor=sale.tax_minor,
        discount_minor=sale.discount_minor,
        returned_units=-sum(line.units for line in sale.returned),
        returned_minor=-sum(line.total_minor for line in sale.returned),
        tenders=tuple(sorted(sale.by_tender.items())),
    )


def sale_of(transaction: PosTransaction, *, till: str, at: datetime) -> SaleMade | None:
    """The fact that a transaction leaves behind, as `fact_of` its sale."""
    return fact_of(sale_from(transaction), till=till, at=at)
