"""JSON and POSLog of the same slip are the same sale, whichever dialect the till writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from slips import Dialect, Slip, as_json, as_poslog, dialects, slips

from edge.pos_bridge.native import sale_from
from edge.pos_bridge.reading import read_transaction
from edge.pos_bridge.sale import Sale
from edge.pos_bridge.sales import fact_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")


def sale(payload: bytes) -> Sale:
    return sale_from(read_transaction(payload, till="till-1", received_at=NOW, timezone=UTC))


def only_one_reading(slip: Slip) -> bool:
    """Where a discount is just as large as the tax, or discounts cancel out, two readings come to the same total."""
    lines = [(-1 if goods.returned else 1) * goods.off_minor for goods in slip.goods if goods.off_minor]
    told = [*([sum(lines)] if lines else []), *(part for part in (slip.off_minor, -slip.tax_minor) if part)]
    sums = {sum(part for bit, part in enumerate(told) if choice >> bit & 1) for choice in range(2 ** len(told))}
    return len(sums) == 2 ** len(told)


@settings(max_examples=400, deadline=None)
@given(slip=slips(), dialect=dialects)
def test_json_and_poslog_of_one_slip_are_the_same_sale(slip: Slip, dialect: Dialect) -> None:
    """Lines, signs, discounts, tax and tenders agree; only the id differs, which POSLog makes itself."""
    assume(slip.total_minor and slip.paid)
    assume(only_one_reading(slip))
    assume(dialect.grand_total or not dialect.change_minor or slip.kind == "sale")
    told, logged = sale(as_json(slip, message_id=str(ID))), sale(as_poslog(slip, dialect))
    assert replace(logged, message_id=told.message_id) == told


@settings(max_examples=200, deadline=None)
@given(slip=slips(), dialect=dialects)
def test_the_figures_are_the_same_even_where_a_slip_can_be_read_two_ways(slip: Slip, dialect: Dialect) -> None:
    """Total, tax, units and tenders are what was stated, however discounts are meant."""
    assume(slip.total_minor and slip.paid)
    told, logged = sale(as_json(slip, message_id=str(ID))), sale(as_poslog(slip, dialect))
    of = [fact_of(one, till="till-1", at=NOW) for one in (told, logged)]
    assert len({(f.kind, f.units, f.total_minor, f.tax_minor, f.tenders, f.returned_units) for f in of if f}) == 1


@settings(max_examples=50, deadline=None)
@given(slip=slips(), prefix=st.sampled_from(["poslog", "arts", "x"]))
def test_prefixes_do_not_matter(slip: Slip, prefix: str) -> None:
    """Names are read with their namespace."""
    assume(slip.total_minor and slip.paid)
    assert sale(as_poslog(slip, Dialect(prefix=prefix))) == sale(as_poslog(slip, Dialect()))


@settings(max_examples=100, deadline=None)
@given(slip=slips())
def test_what_is_undone_leaves_nothing(slip: Slip) -> None:
    """A sale and its void add up to nought in every figure but the counts of transactions."""
    undone = replace(slip, kind="void")
    one, other = (
        fact_of(sale(as_json(kind, message_id=str(ID))), till="t", at=NOW)
        for kind in (replace(slip, kind="sale"), undone)
    )
    assert one is not None
    assert other is not None
    assert one.units + other.units == one.total_minor + other.total_minor == one.tax_minor + other.tax_minor == 0
    assert dict(one.tenders) == {kind: -amount for kind, amount in other.tenders}
