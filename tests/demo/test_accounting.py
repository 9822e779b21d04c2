"""The demo's three books: every way in which they can disagree is told as lost or double."""

from __future__ import annotations

from typing import Any

import pytest

from edge.demo.accounting import Account, balance


def status(*, messages: int = 10, sales: int = 6, sequence: int = 20) -> dict[str, Any]:
    return {
        "counters": {"messages": messages, "frames": 100},
        "gauges": {"latency_p50_ms": 12.345},
        "visitors": {"in": 4, "out": 3},
        "sales": {"EUR/sales": sales - 1, "EUR/returns": 1, "EUR/units": 99},
        "outbox": {"waiting": 0, "oldest_s": None, "last_sequence": sequence, "acknowledged_sequence": sequence},
    }


NOTHING = {
    "counters": {},
    "gauges": {},
    "visitors": {"in": 0, "out": 0},
    "sales": {},
    "outbox": {"waiting": 0, "oldest_s": None, "last_sequence": 0, "acknowledged_sequence": 0},
}


def truth(*, messages: int = 10, sales: int = 6) -> dict[str, Any]:
    figures = {"sales": sales - 1, "returns": 1, "voids": 0}
    return {"messages_sent": messages, "truth_in": 4, "truth_out": 3, "sales": {"EUR": figures}}


def hq(*, events: int = 20, sales: int = 6) -> dict[str, Any]:
    return {"events": events, "sales": {"EUR": {"sales": sales - 1, "returns": 1, "voids": 0}}}


def account(*, did=None, before=None, after=None, holds=None) -> Account:
    return balance(
        truth=did or truth(), before=before or NOTHING, after=after or status(), hq=holds or hq(), restarts={}
    )


def test_books_that_agree_have_nothing_lost_and_nothing_double():
    """The ordinary end of a demo."""
    even = account()
    assert (even.lost, even.duplicates, even.visitors_in, even.events_at_hq) == (0, 0, 4, 20)
    assert even.latency_ms.p50 == 12.3
    assert even.latency_ms.p99 is None


@pytest.mark.parametrize(
    ("changed", "lost", "duplicates"),
    [
        ({"did": truth(messages=12)}, 2, 0),
        ({"did": truth(messages=9)}, 0, 1),
        ({"did": truth(sales=7)}, 1, 0),
        ({"did": truth(sales=4)}, 0, 2),
        ({"holds": hq(events=17)}, 3, 0),
        ({"holds": hq(events=21)}, 0, 1),
        ({"holds": hq(sales=5)}, 1, 0),
        ({"holds": hq(sales=8)}, 0, 2),
    ],
)
def test_a_disagreement_is_told(changed: dict[str, Any], lost: int, duplicates: int):
    """Between shop and store, and between store and HQ, in both directions."""
    uneven = account(**changed)
    assert (uneven.lost, uneven.duplicates) == (lost, duplicates)


def test_an_earlier_demo_in_the_folder_is_not_counted_again():
    """Only what this demo added stands in its account; what HQ holds is compared as a whole."""
    second = account(after=status(messages=20, sales=12, sequence=35), before=status(), holds=hq(events=35, sales=12))
    assert (second.messages, second.events_released, second.events_at_hq) == (10, 15, 15)
    assert (second.lost, second.duplicates, second.visitors_in) == (0, 0, 0)
