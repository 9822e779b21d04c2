"""Nothing that should be hidden survives in any structure; what has nothing to hide is the same object; once is enough."""

from __future__ import annotations

import json
import math
from collections import namedtuple
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ThresholdError
from edge.privacy.keyring import Keyring
from edge.privacy.sanitise.brands import Brand
from edge.privacy.sanitise.card_token import card_token
from edge.privacy.sanitise.finds import Forbidden, IdentityKind
from edge.privacy.sanitise.sanitiser import Sanitiser

VISA = "4111111111111111"
FRAGMENTS = [
    *(
        VISA,
        "4111 1111 1111 1111",
        "378282246310005",
        "1234567890123452",
        "13812345678",
        "+8613812345678",
        "ada@example.com",
    ),
    *(
        "11010519491231002X",
        "DE89370400440532013000",
        "cvv ",
        "pin: ",
        "123",
        "4567",
        " ",
        "-",
        "=",
        "%20",
        "&#160;",
        "[",
        "]",
    ),
    *(
        ";4111111111111111=25121011234",
        "%B4111111111111111^A/B^2512101",
        "2026-10-03",
        "T10:20:30Z",
        "2088102146225135",
    ),
    *(
        "o6_bmjrPTlm6_2sgVt7hMZOPfL2M",
        "[card visa …1111 t_abc]",
        "[phone]",
        "邮箱",
        "x",
        "0",
        "４",
        "\u200b",
        "\\u0034",
    ),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.binary(max_size=30),
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join),
)
NAMES = st.one_of(
    st.text(max_size=10),
    st.sampled_from(
        ["cvv", "phone", "customer", "name", "value", "sku", "pan", "tag", "children", "text", "total_minor", "pin"]
    ),
    st.sampled_from(FRAGMENTS),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4), st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def shown(value: object) -> str:
    """All of a value in one text, bytes decoded."""
    if isinstance(value, dict):
        return " ".join(f"{shown(key)} {shown(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(map(shown, value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@given(value=ANYTHING)
def test_cleaning_again_changes_nothing(sanitiser, value: object):
    """Nor does it find anything more."""
    once = sanitiser.clean(value)
    twice = sanitiser.clean(once.value)
    assert repr(twice.value) == repr(once.value)
    assert not twice.anything


@given(text=st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_no_number_stands_up_from_fragments(sanitiser, text: str):
    """However they are put together."""
    assert VISA not in sanitiser.clean(text).value


@given(value=ANYTHING, place=st.sampled_from(["value", "key", "bytes", "item", "int", "float", "wide"]))
def test_a_planted_number_survives_in_no_place(sanitiser, value: object, place: str):
    """Beside whatever else there is: in a value, a key, bytes, a list, a number."""
    planted = {
        "value": {"note": VISA, "rest": value},
        "key": {VISA: value},
        "bytes": {"raw": VISA.encode(), "rest": value},
        "item": [value, [VISA]],
        "int": {"n": int(VISA), "rest": value},
        "float": (float(VISA), value),
        "wide": {"raw": VISA.encode("utf-16"), "rest": value},
    }[place]
    cleaned = sanitiser.clean(planted)
    assert VISA not in shown(cleaned.value).replace("\x00", "")
    assert Brand.VISA in [card.brand for card in cleaned.cards]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "Oxford shirt",
            "M",
            "170/88A",
            "衬衫",
            "gift wrapped, thank you",
            "4711",
            "12.50",
            "pos-2",
            "en-GB",
            "\u200b",
        ),
        *("2026-10-03T18:21:09.417+08:00", "2026-10-03", "f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "v1.2.3", "10.0.0.1"),
        *(0, -12, 129_900, 3.5, 0.30000000000000004, math.pi, math.inf, 1e300, True, None, b"\xff\xfe\x00", b"JPEG"),
        *(
            Decimal("12.50"),
            UUID("f81d4fae-7dec-41d0-a765-00a0c91e6bf6"),
            datetime(2026, 10, 3, 10, 20, 30, 123456, UTC),
        ),
        *([], {}, (), {"lines": [{"sku": "6901234567892", "quantity": 1, "total_minor": 24_900}]}, [[["a"]]], {1: 2}),
        *({"total_minor": 13_812_345_678}, {"captured_ms": 1_767_225_600_005}, {"ean": "4006381333931"}),
    ],
)
def test_what_has_nothing_to_hide_is_the_same_object(sanitiser, value: object):
    """Words, amounts, moments, ids, articles."""
    cleaned = sanitiser.clean(value)
    assert cleaned.value is value
    assert not cleaned.anything


@given(
    amount=st.integers(-(10**12) + 1, 10**12 - 1), word=st.text("abcdefghij -_.", max_size=30), score=st.floats(-1, 1)
)
def test_amounts_words_and_scores_are_harmless(sanitiser, amount: int, word: str, score: float):
    """Of any size that a till sends."""
    value = {"amount_minor": amount, "word": word, "score": score}
    assert sanitiser.clean(value).value is value


def test_a_sale_keeps_its_shape(sanitiser):
    """Everything found is told once, and nothing else is touched."""
    sale = {
        "message_id": "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
        "lines": [{"sku": "SHIRT", "quantity": 1, "total_minor": 9900}],
        "tenders": [{"kind": "card", "amount_minor": 9900, "reference": f"auth {VISA}", "cvv": "739", "pan": VISA}],
        "customer": {"phone": "138 1234 5678", "email": "Ada@Example.com"},
        "note": "call +8613812345678",
    }
    cleaned = sanitiser.clean(sale)
    assert cleaned.value["lines"] is sale["lines"]
    assert cleaned.value["message_id"] is sale["message_id"]
    assert cleaned.value["tenders"][0]["amount_minor"] == 9900
    assert [(card.brand, card.last_four) for card in cleaned.cards] == [(Brand.VISA, "1111")]
    assert [(one.kind, one.value) for one in cleaned.identities] == [
        (IdentityKind.PHONE, "+8613812345678"),
        (IdentityKind.EMAIL, "ada@example.com"),
    ]
    assert dict(cleaned.dropped) == {Forbidden.CARD_CODE: 1}
    json.dumps(cleaned.value)


def test_two_keys_that_become_one_lose_nothing(sanitiser):
    """The later is counted."""
    cleaned = sanitiser.clean({VISA: 1, "4111 1111 1111 1111": 2})
    assert sorted(cleaned.value.values()) == [1, 2]
    assert sanitiser.clean(cleaned.value).value is cleaned.value


@pytest.mark.parametrize("text", [VISA + "2", "4111-1111-1111-1112", "411111******1111", "4111 11XX XXXX 1111"])
def test_a_card_number_field_goes_though_it_is_mistyped_or_masked(sanitiser, text: str):
    """A wrong number is nearly the right one; first six and last four beside a token are more than may be kept."""
    cleaned = sanitiser.clean({"card_number": text})
    assert not any(part in cleaned.value["card_number"] for part in ("4111", "411111"))
    assert cleaned.numbers + len(cleaned.cards) == 1


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: (inner,)])
def test_too_deep_is_taken_out(sanitiser, make):
    """No structure exhausts the stack, and none hides a number."""
    value: object = VISA
    for _ in range(100_000):
        value = make(value)
    cleaned = sanitiser.clean(value).value
    depth = 0
    while not isinstance(cleaned, str):
        cleaned = next(iter(cleaned.values() if isinstance(cleaned, dict) else cleaned))
        depth += 1
    assert cleaned == "[taken out]"
    assert depth == 100


def test_other_objects_are_judged_by_what_they_show(sanitiser):
    """They become their cleaned `repr`; named tuples stay named."""
    Point = namedtuple("Point", "note x")
    assert sanitiser.clean(ValueError(f"no {VISA}")).value.startswith("ValueError('no [card visa …1111")
    assert sanitiser.clean(Decimal(VISA)).value.startswith("[card visa")
    assert sanitiser.clean(Point(VISA, 1)).value.x == 1
    assert sanitiser.clean({frozenset({VISA})}).value != {frozenset({VISA})}
    unremarkable = object()
    assert sanitiser.clean(unremarkable).value is unremarkable


def test_a_huge_number_is_no_error(sanitiser):
    """Python would not write it out."""
    assert sanitiser.clean(10**5000).value == "[taken out]"


def test_a_token_with_digits_is_refused():
    """It could be taken for a number, or hold one; the error does not repeat it."""
    with pytest.raises(ThresholdError, match="letters and _ alone") as caught:
        Sanitiser(lambda number: number).clean(VISA)
    assert VISA not in str(caught.value)


def test_nothing_of_what_was_found_shows_in_a_repr(sanitiser):
    """What is cleaned may end in a log itself."""
    cleaned = sanitiser.clean({"phone": "13812345678", "note": f"Ada {VISA}"})
    assert not any(part in repr(cleaned) for part in ("1381234", "41111", "Ada"))


def test_a_stores_token_is_its_own(tmp_path):
    """The same again for a number; another in another store, and under another keyring; letters alone."""
    one, other = Keyring.open(tmp_path / "one.json"), Keyring.open(tmp_path / "other.json")
    token = card_token(keyring=one, store="berlin-1")
    assert token(VISA) == token(VISA)
    others = {
        card_token(keyring=one, store="berlin-2")(VISA),
        card_token(keyring=other, store="berlin-1")(VISA),
        token("5555555555554444"),
        token(VISA),
    }
    assert len(others) == 4
    assert all(one.startswith("t_") and len(one) == 34 and not any(map(str.isdigit, one)) for one in others)
    cleaned = Sanitiser(token).clean(VISA)
    assert cleaned.cards[0].token == token(VISA)
    assert cleaned.value == f"[card visa …1111 {token(VISA)}]"
