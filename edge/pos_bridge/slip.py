"""What stands on a POSLog slip, and how its sums are meant.

POSLog leaves open whether a line's `ExtendedAmount` holds its price modifiers, whether a `Discount` of the whole slip is
spread over the lines already, and whether tax is in the prices or on top; tills in the field do each of these. The slip
itself tells: `reckon` takes the one reading under which lines, discounts and tax come to the total that was paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from edge.errors import MessageRejected
from edge.messages import TenderKind

__all__ = ["Slip", "SlipLine", "SlipTender", "reckon"]


@dataclass(frozen=True, slots=True)
class SlipLine:
    """A line as it is written, without a sign: what is `returned` is taken off."""

    sku: str
    quantity: int
    extended_minor: int
    modifiers_minor: int
    tax_minor: int | None
    returned: bool


@dataclass(frozen=True, slots=True)
class SlipTender:
    """Money in, or below zero out."""

    kind: TenderKind
    amount_minor: int
    reference: str | None


@dataclass(frozen=True, slots=True)
class Slip:
    """Everything on the slip that has to do with money. `grand_minor` is the total it states, if it does."""

    lines: tuple[SlipLine, ...]
    discount_minor: int
    tax_minor: int
    tax_on_top_first: bool
    tenders: tuple[SlipTender, ...]
    rounding_minor: int
    grand_minor: int | None

    @property
    def paid_minor(self) -> int:
        """What the tenders come to."""
        return sum(tender.amount_minor for tender in self.tenders)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a slip, and what it comes to."""

    modifiers_apart: bool
    discount_apart: bool
    tax_apart: bool
    total_minor: int


def reckon(slip: Slip) -> dict[str, Any]:
    """The slip's fields of a `PosTransaction`, in the first reading that agrees with what was stated and paid.

    Raises:
        MessageRejected: `invalid`; no reading agrees.
    """
    signed = any(line.returned for line in slip.lines)
    for reading in _readings(slip):
        for rounding_minor in dict.fromkeys((slip.rounding_minor, -slip.rounding_minor)):
            tenders = _agreeing(slip, reading.total_minor, rounding_minor=rounding_minor, signed=signed)
            if tenders is not None:
                return _fields(slip, reading, tenders, rounding_minor=rounding_minor if tenders else 0)
    raise MessageRejected("invalid", "POSLog: lines, discounts, tax, total and tenders do not agree")


def _readings(slip: Slip) -> Iterator[_Reading]:
    """The most literal first: what is written apart counts apart."""
    tax_ways = (True, False) if slip.tax_on_top_first else (False, True)
    for modifiers_apart, discount_apart, tax_apart in product((True, False), (True, False), tax_ways):
        goods = sum((-1 if line.returned else 1) * _line_minor(line, apart=modifiers_apart) for line in slip.lines)
        total = goods - (slip.discount_minor if discount_apart else 0) + (slip.tax_minor if tax_apart else 0)
        yield _Reading(modifiers_apart, discount_apart, tax_apart, total)


def _line_minor(line: SlipLine, *, apart: bool) -> int:
    return line.extended_minor - (line.modifiers_minor if apart else 0)


def _agreeing(slip: Slip, total_minor: int, *, rounding_minor: int, signed: bool) -> tuple[SlipTender, ...] | None:
    """The tenders as they fit a total; None where they, or the total that is stated, do not.

    In an exchange some tills state what is paid out as a positive number: there the sign may be either.
    """
    stated = slip.grand_minor
    if stated is not None and stated != total_minor and not (signed and stated == -total_minor):
        return None
    due = total_minor + rounding_minor
    if not slip.tenders or slip.paid_minor == due:
        return slip.tenders
    return tuple(_turned(slip.tenders)) if signed and slip.paid_minor == -due else None


def _turned(tenders: Iterable[SlipTender]) -> Iterator[SlipTender]:
    return (SlipTender(tender.kind, -tender.amount_minor, tender.reference) for tender in tenders)


def _fields(slip: Slip, reading: _Reading, tenders: tuple[SlipTender, ...], *, rounding_minor: int) -> dict[str, Any]:
    return {
        "lines": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "total_minor": _line_minor(line, apart=reading.modifiers_apart),
                "discount_minor": line.modifiers_minor,
                "tax_minor": line.tax_minor,
                "returned": line.returned,
            }
            for line in slip.lines
        ],
        "total_minor": reading.total_minor,
        "discount_minor": slip.discount_minor if reading.discount_apart else 0,
        "tax_minor": slip.tax_minor,
        "tax_included": not reading.tax_apart,
        "rounding_minor": rounding_minor,
        "tenders": [
            {"kind": tender.kind, "amount_minor": tender.amount_minor, "reference": tender.reference}
            for tender in tenders
        ],
    }
