"""Money: exact in whole minor units, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageRejected
from edge.pos_bridge.money import MINOR_DIGITS, minor_units


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "EUR", 1999),
        ("19.9", "EUR", 1990),
        ("19", "EUR", 1900),
        ("19.99000", "EUR", 1999),
        ("-0.01", "EUR", -1),
        ("+5.", "EUR", 500),
        (".5", "EUR", 50),
        (" 7\n", "EUR", 700),
        ("1200", "JPY", 1200),
        ("1200.00", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("0.0001", "UYW", 1),
        ("0", "CNY", 0),
    ],
)
def test_what_fits_exactly_is_taken(text: str, currency: str, minor: int) -> None:
    """A currency's own number of digits (ISO 4217); noughts past it do no harm."""
    assert minor_units(text, currency=currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("19.999", "EUR"),
        ("0.5", "JPY"),
        ("1.2345", "KWD"),
        ("1,50", "EUR"),
        ("1e3", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("", "EUR"),
        (".", "EUR"),
        ("1 000", "EUR"),
        ("١٢", "EUR"),
        ("１２", "EUR"),
        ("9" * 400, "EUR"),
        ("1.00", "XXX"),
        ("1.00", "eur"),
    ],
)
def test_what_does_not_is_refused(text: str, currency: str) -> None:
    """Nothing is rounded, guessed, or repeated in the refusal."""
    with pytest.raises(MessageRejected) as refused:
        minor_units(text, currency=currency)
    assert refused.value.reason == "invalid"
    assert not text or text not in str(refused.value).replace("ISO 4217", "")


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(sorted(MINOR_DIGITS)))
def test_there_and_back(minor: int, currency: str) -> None:
    """Any amount written with its currency's digits reads as itself."""
    assert minor_units(f"{Decimal(minor).scaleb(-MINOR_DIGITS[currency]):f}", currency=currency) == minor


def test_the_list_is_iso_4217s() -> None:
    """Codes of three letters, and the ones that are not hundredths."""
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in MINOR_DIGITS)
    assert {code: MINOR_DIGITS[code] for code in ("JPY", "KRW", "KWD", "TND", "CLF", "EUR", "CNY")} == {
        "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "CLF": 4, "EUR": 2, "CNY": 2
    }  # fmt: skip
