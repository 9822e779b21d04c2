"""Sales in their windows, and what is derived from them on reading."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from edge import facts, messages
from edge.conversion import Conversion, Trade, WindowTraffic, conversion, trade
from edge.facts import SaleMade
from edge.outbox.events import SalesWindow
from edge.windows import Metric, fold

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVERYTHING = SaleMade(
    NINE, "till-1", "sale", "EUR", units=3, total_minor=9000, tax_minor=1437, discount_minor=500, returned_units=1,
    returned_minor=2000, tenders=tuple((kind, 10 + n) for n, kind in enumerate(get_args(facts.TenderKind))),
)  # fmt: skip


def figures(*sales: SaleMade) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in fold(sales, length_s=60):
        assert (one.cell.metric, one.cell.place) == (Metric.SALES, "till-1")
        sums[one.cell.key.removeprefix("EUR/")] += one.amount
    return dict(sums)


def traded(**changes: int) -> Trade:
    return trade({"sales": 4, "units": 10, "total_minor": 10_000, "tax_minor": 1_597, **changes})


def test_every_figure_has_its_cell() -> None:
    """One cell for each, and for each way of paying; nothing else."""
    assert figures(EVERYTHING) == {
        "sales": 1, "units": 3, "total_minor": 9000, "tax_minor": 1437, "discount_minor": 500, "returned_units": 1,
        "returned_minor": 2000, "card_minor": 10, "cash_minor": 11, "wechat_pay_minor": 12, "alipay_minor": 13,
        "unionpay_qr_minor": 14, "gift_card_minor": 15, "other_minor": 16,
    }  # fmt: skip


def test_the_release_event_takes_every_figure() -> None:
    """The event refuses unknown fields, so one that it lacks would stop all releases."""
    kinds = [SaleMade(NINE, "till-1", kind, "EUR", 1, 1, 1) for kind in ("sale", "return", "void", "cancelled")]
    event = SalesWindow.model_validate(
        {"start": NINE, "end": NINE, "till": "till-1", "currency": "EUR", **figures(EVERYTHING, *kinds)}
    )
    assert (event.sales, event.returns, event.voids, event.cancelled, event.other_minor) == (2, 1, 1, 1, 16)


def test_ways_of_paying_are_one_list() -> None:
    """Messages and facts do not know each other; their words are the same."""
    assert get_args(facts.TenderKind) == get_args(messages.TenderKind)
    assert set(trade(figures(EVERYTHING)).tenders_minor) == set(get_args(facts.TenderKind))


def test_net_basket_and_units_follow_from_the_sums() -> None:
    """What came back makes no basket smaller; what was undone is none."""
    assert traded().net_minor == 8_403
    assert (traded().average_basket_minor, traded().units_per_transaction) == (2_500, 2.5)
    returned = traded(returns=1, total_minor=7_000, units=8, returned_minor=3_000, returned_units=2)
    assert (returned.average_basket_minor, returned.units_per_transaction) == (2_500, 2.5)
    undone = traded(sales=5, voids=1)
    assert (undone.transactions, undone.average_basket_minor) == (4, 2_500)
    assert (traded(sales=0).average_basket_minor, traded(sales=0).units_per_transaction) == (None, None)


@given(total=st.integers(0, 10**15), sales=st.integers(1, 10**6))
def test_a_basket_is_rounded_to_the_nearest(total: int, sales: int) -> None:
    """Never further than half a cent from the truth, whatever the size."""
    basket = trade({"sales": sales, "total_minor": total}).average_basket_minor
    assert basket is not None
    assert abs(2 * (basket * sales - total)) <= sales


def test_conversion_is_of_the_same_windows() -> None:
    """Sales of an hour in which the camera was blind do not make the rest look better."""
    windows = [WindowTraffic(0, 40, 8), WindowTraffic(900, None, 6), WindowTraffic(1800, 10, 2)]
    found = conversion(windows)
    assert found == Conversion(visitors=50, transactions=10, windows=2, windows_left_out=1)
    assert found.rate == 0.2


def test_conversion_without_visitors_is_unknown() -> None:
    """Not nought, and not without end."""
    assert conversion([]).rate is None
    assert conversion([WindowTraffic(0, 0, 3)]).rate is None


@given(st.lists(st.builds(WindowTraffic, st.integers(0, 10**6), st.none() | st.integers(0, 99), st.integers(0, 99))))
def test_conversion_knows_no_order(windows: list[WindowTraffic]) -> None:
    """Windows may come late."""
    assert conversion(windows) == conversion(windows[::-1])
