"""Card numbers are found wherever and however they are written; article numbers, moments and payments' numbers are not."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.sanitise.brands import ISSUERS, PREFIX_DIGITS, Brand, brand_of
from edge.privacy.sanitise.card_numbers import find, plainly_article
from edge.privacy.sanitise.finds import CardNumber, settle
from edge.privacy.sanitise.luhn import CardSums, gs1_valid, luhn_valid

PUBLISHED = [
    ("4111111111111111", Brand.VISA),
    ("4012888888881881", Brand.VISA),
    ("4222222222222", Brand.VISA),
    ("4242424242424242", Brand.VISA),
    ("5555555555554444", Brand.MASTERCARD),
    ("5105105105105100", Brand.MASTERCARD),
    ("2223003122003222", Brand.MASTERCARD),
    ("378282246310005", Brand.AMEX),
    ("371449635398431", Brand.AMEX),
    ("6011111111111117", Brand.DISCOVER),
    ("6011000990139424", Brand.DISCOVER),
    ("30569309025904", Brand.DINERS),
    ("36227206271667", Brand.DINERS),
    ("3530111333300000", Brand.JCB),
    ("3566002020360505", Brand.JCB),
    ("6200000000000005", Brand.UNIONPAY),
    ("6205500000000000004", Brand.UNIONPAY),
    ("6759649826438453", Brand.MAESTRO),
    ("5019717010103742", Brand.DANKORT),
]
"""Numbers that payment providers publish for testing; nobody's."""

ZEROS = "0０٠०𝟎"
SEPARATORS = " \u00a0\u2009\u3000\t\n-\u2010\u2013\u2212._/,·:|*\u200b\u200d\u2060\ufeff\u00ad"


def numbers() -> st.SearchStrategy[str]:
    """Any brand's number, with its check digit right."""

    @st.composite
    def made(draw: st.DrawFn) -> str:
        prefix = draw(st.sampled_from(sorted(ISSUERS)))
        length = draw(st.sampled_from(ISSUERS[prefix].lengths))
        rest = draw(st.text("0123456789", min_size=length - PREFIX_DIGITS - 1, max_size=length - PREFIX_DIGITS - 1))
        return next(number for check in "0123456789" if luhn_valid(number := prefix + rest + check))

    return made()


def written(number: str) -> st.SearchStrategy[str]:
    """The number in some script's digits, with anything between them."""
    gaps = st.lists(st.text(SEPARATORS, max_size=2), min_size=len(number), max_size=len(number))
    return st.tuples(st.sampled_from(ZEROS), gaps).map(
        lambda told: "".join(
            chr(ord(told[0]) + int(digit)) + gap for digit, gap in zip(number, [*told[1][1:], ""], strict=True)
        )
    )


def left_of(text: str) -> str:
    """What is left of `text`."""
    parts, done = [], 0
    for stretch in settle(find(text)):
        parts.append(text[done : stretch.start])
        done = stretch.end
    return "|".join([*parts, text[done:]])


def told(text: str, *, article: bool = False) -> list[CardNumber]:
    """What a cleaning would tell of `text`."""
    finds = [find for stretch in settle(find(text, article=article)) for find in stretch.told]
    return [one.what for one in finds if isinstance(one.what, CardNumber)]


def digits_in(text: str) -> str:
    return "".join(str(int(letter)) for letter in text if letter.isdecimal())


@pytest.mark.parametrize(("number", "brand"), PUBLISHED)
def test_published_test_numbers_are_their_brands(number: str, brand: Brand):
    """Each is found with its brand; with the last digit changed, it is not."""
    assert told(f"paid by {number}.") == [CardNumber(number, brand)]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert wrong not in [card.number for card in told(f"paid by {wrong}.")]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "４１１１１１１１１１１１１１１１",
        "4\u200b1\u200b1\u200b1111111111111",
        "卡号4111111111111111号",
        "PAN4111111111111111X",
        "card\u3164:4111\u31641111\u31641111\u31641111",
        "④①①①①①①①①①①①①①①①",
        "4️⃣1️⃣1️⃣1️⃣ 1111 1111 1111",
        "<Card no='4111 1111 1111 1111'/>",
    ],
)
def test_any_way_of_writing_is_found(text: str):
    """Spaces, dashes, dots, zero-width and full-width characters, letters beside it."""
    assert CardNumber("4111111111111111", Brand.VISA) in told(text)
    assert "1111" not in digits_in(left_of(text))


@given(data=st.data(), number=numbers(), before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_planted_number_never_survives(data: st.DataObject, number: str, before: str, after: str):
    """Whatever stands before, after and between its digits."""
    text = before + data.draw(written(number)) + after
    assert number not in digits_in(left_of(text))


@given(data=st.data(), number=numbers(), digits=st.tuples(st.text("0123456789"), st.text("0123456789")))
def test_further_digits_hide_nothing(data: st.DataObject, number: str, digits: tuple[str, str]):
    """Within a longer row of digits all of it goes, not only what a chance find before it left."""
    text = digits[0] + number + digits[1]
    kept = [True] * len(text)
    for found in find(text):
        kept[found.start : found.end] = [False] * (found.end - found.start)
    assert not any(kept[len(digits[0]) : len(digits[0]) + len(number)])


@pytest.mark.parametrize("text", ["0000004111111111111111", "411111111111111100000", "PAN 784111111111111111 end"])
def test_amid_digits_it_goes_without_a_brand(text: str):
    """Long rows of digits hold such a number by chance: nothing of it stays, and no card is counted."""
    assert {card.brand for card in told(text)} == {None}
    assert "1111" not in digits_in(left_of(text))


@pytest.mark.parametrize("escape", ["%20", "&#160;", "&#xA0;", "&nbsp;", "\\u00a0", "\\n", "%C2%A0"])
def test_escapes_are_separators_in_the_sanitiser(sanitiser, escape: str):
    """Query strings, XML and JSON that nobody has parsed."""
    cleaned = sanitiser.clean(f"card={escape.join(['4111'] * 1 + ['1111'] * 3)}&x=1")
    assert [card.last_four for card in cleaned.cards] == ["1111"]
    assert "4111" not in cleaned.value


def test_escaped_digits_are_digits(sanitiser):
    """Each digit as a percent escape, an XML reference or JSON's."""
    for style in ("%{:02x}", "&#{};", "&#x{:x};", "\\u{:04x}"):
        text = "".join(style.format(ord(digit)) for digit in "4111111111111111")
        assert [card.last_four for card in sanitiser.clean(text).cards] == ["1111"]


def test_a_percent_sign_before_a_number_hides_nothing(sanitiser):
    """It may be read as an escape, and is read as none as well."""
    assert sanitiser.clean("100%4111111111111111").value.startswith("100%[card visa")


@pytest.mark.parametrize("number", ["1234567890123452", "9999999999999995", "7000000000000005", "1234-5678-9012-3452"])
def test_numbers_of_no_brand_go_too(sanitiser, number: str):
    """They pass Luhn; counted apart, and no card is told."""
    assert luhn_valid(number.replace("-", ""))
    cleaned = sanitiser.clean(f"ref {number} end")
    assert (cleaned.numbers, cleaned.cards) == (1, ())
    assert number not in cleaned.value
    assert f"…{number[-4:]}" in cleaned.value


@pytest.mark.parametrize(
    ("moment", "spared"),
    [
        ("176722560000", True),  # ms since 1970, the last digit open
        ("176722560000000", True),  # µs
        ("2026100310203", True),
        ("2026100310203012", True),
        ("976722560000", False),
        ("2026139910203", False),
    ],
)
def test_moments_are_no_numbers(moment: str, spared: bool):
    """They pass Luhn, but read as a moment between 2011 and 2036."""
    text = next(moment + check for check in "0123456789" if luhn_valid(moment + check))
    assert (find(text) == []) is spared


def test_fillers_are_no_numbers():
    """One digit all along."""
    assert luhn_valid("0" * 16)
    assert find("0" * 16) == []


@given(
    number=numbers(),
)
def test_no_brands_number_reads_as_a_moment(number: str):
    """What is spared for reading as a moment is no card's."""
    assert find(number) != []


def test_articles_keep_their_numbers():
    """In an article's field a right GTIN stays though it passes Luhn; elsewhere, or with a wrong check digit, it goes."""
    both = next(gtin for tail in range(10**6) if _right(gtin := f"690123{tail:06d}") and luhn_valid(_right(gtin)))
    gtin = _right(both)
    assert plainly_article(gtin)
    assert find(gtin, article=True) == []
    assert told(gtin) == [CardNumber(gtin, None)]
    wrong = next(str(n) for n in range(6901230000000, 6901230999999) if luhn_valid(str(n)) and not gs1_valid(str(n)))
    assert told(wrong, article=True) == [CardNumber(wrong, None)]


def test_an_article_that_passes_for_a_card_goes_without_a_brand():
    """Privacy first; but it is no card in the count."""
    gtin = next(g for tail in range(10**6) if luhn_valid(g := _right(f"400123{tail:06d}")))
    assert told(gtin, article=True) == [CardNumber(gtin, None)]
    assert told(gtin) == [CardNumber(gtin, Brand.VISA)]


def _right(twelve: str) -> str:
    return next(twelve + check for check in "0123456789" if gs1_valid(twelve + check))


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-03T10:20:30.123456+08:00",
        "2026-10-03 10:20:30,123",
        "4200001234202610031234567890",
        "2013112011001004330000121536",
        "201404231515255000018",
        "2026100310203012345678",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_has_a_grammar_of_its_own_is_spared(text: str):
    """Moments, and the numbers that WeChat Pay, Alipay, UnionPay and shops give, digests."""
    assert find(text) == []
    assert find(f"({text})") == []


def test_uuids_are_spared():
    """Every one of many: else one sale in 400 would lose its id."""
    dice = random.Random(5)
    for _ in range(20_000):
        text = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        assert find(text) == []
        assert find(text.upper()) == []


def test_digests_are_spared():
    """Nearly every one of many."""
    dice = random.Random(5)
    assert sum(bool(find(f"{dice.getrandbits(256):064x}")) for _ in range(20_000)) < 20


@pytest.mark.parametrize(
    "text",
    [
        "41111111-1111-1111-8111-111111111111",  # digits alone
        "41111111-1111-1111-c111-11111111abcd",  # no version, no variant
        "2026-10-03 4111 1111 1111 1111",
        "2026-10-03-4111111111111111",
        "12.34.56.78.4111111111111111",
        "2026-10-03T10:20:30.4111111111111111",
        "42000012342026100312345678904111111111111111",
        "202610031020304111111111111111",
        "5f2002414157134111111111111111d25122010000000000000f9f0206000000",
        "1::0.0.0.2 4111 1111 1111 1111",
    ],
)
def test_sparing_shelters_no_card_number(text: str):
    """What only resembles such a grammar is looked through."""
    assert find(text) != []
    assert "4111111111111111" not in digits_in(left_of(text))


@given(digits=st.text("0123456789", min_size=2, max_size=40), data=st.data())
def test_sums_of_stretches_are_luhn(digits: str, data: st.DataObject):
    """Running sums tell the same as reckoning each stretch anew."""
    start = data.draw(st.integers(0, len(digits) - 1))
    end = data.draw(st.integers(start + 1, len(digits)))
    assert CardSums(digits).valid(start, end) == luhn_valid(digits[start:end])


@given(number=numbers())
def test_every_number_made_has_a_brand(number: str):
    """By prefix and length."""
    assert brand_of(number) is ISSUERS[number[:4]].brand
    assert brand_of(number[:12]) is None
