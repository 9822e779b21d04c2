"""JSON transactions: bytes to a checked `PosTransaction`, and that to a `Sale`."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from edge.errors import MessageRejected
from edge.messages import Customer, PosTransaction, SaleLine, Tender
from edge.pos_bridge.sale import Paid, Sale, SoldLine

__all__ = ["checked", "parse_json", "sale_from"]

_FIELDS = frozenset(name for model in (PosTransaction, SaleLine, Tender, Customer) for name in model.model_fields)
_MENTIONED = 3


def parse_json(payload: bytes) -> Any:
    """What `payload` holds, unchecked.

    Raises:
        MessageRejected: `not-json`; nesting and numbers without end are that, too.
    """
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError:
        raise MessageRejected("not-json", "transaction: no JSON") from None


def checked(fields: Any) -> PosTransaction:
    """The transaction that `fields` are, its sums checked.

    Raises:
        MessageRejected: `invalid`. What was said is not repeated, nor a key that is none of ours.
    """
    try:
        return PosTransaction.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        told = ", ".join(_told(problem["loc"], problem["type"], problem["msg"]) for problem in problems[:_MENTIONED])
        raise MessageRejected("invalid", f"transaction: {told}") from None


def sale_from(transaction: PosTransaction) -> Sale:
    """`transaction` seen from the shop: a return's and a void's figures are negative, a cancelled one has none."""
    sign = {"sale": 1, "return": -1, "void": -1, "cancelled": 0}[transaction.kind]
    lines = tuple(_sold(line, sign=sign) for line in transaction.lines) if sign else ()
    return Sale(
        message_id=transaction.message_id,
        captured_at=transaction.captured_at,
        kind=transaction.kind,
        currency=transaction.currency,
        lines=lines,
        total_minor=sign * transaction.total_minor,
        tax_minor=sign * transaction.tax_told_minor,
        discount_minor=sign * transaction.discount_minor + sum(line.discount_minor for line in lines),
        rounding_minor=sign * transaction.rounding_minor,
        tenders=tuple(Paid(t.kind, sign * t.amount_minor, t.reference) for t in transaction.tenders) if sign else (),
        training=transaction.training,
        reference=transaction.reference,
        session=transaction.session,
        customer=transaction.customer,
    )


def _sold(line: SaleLine, *, sign: int) -> SoldLine:
    way = -sign if line.returned else sign
    return SoldLine(line.sku, way * line.quantity, way * line.total_minor, way * line.discount_minor)


def _told(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """Where a mistake is and which; our own validators' words are safe to repeat, pydantic's name what was said."""
    where = ".".join(str(part) if isinstance(part, int) or part in _FIELDS else "*" for part in location)
    what = message.removeprefix("Value error, ") if kind == "value_error" else kind
    return f"{where} {what}".strip()
