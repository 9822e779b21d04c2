"""What stands in the place of what was taken out: nothing in it can be found again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from edge.errors import ThresholdError
from edge.privacy.sanitise.brands import Brand
from edge.privacy.sanitise.finds import CardNumber, Forbidden, Identity, IdentityKind

__all__ = ["UNREADABLE", "Card", "CardToken", "card_of", "holds_a_mark", "holds_marks_only", "mark_of", "number_mark"]

CardToken = Callable[[str], str]
"""Gives a number's keyed token: letters and `_`, 64 at most, the same for the same number, no clue to it without the key."""

UNREADABLE = "[taken out]"
"""Stands for text that still had something to hide after several passes, and for what is nested too deep."""


@dataclass(frozen=True, slots=True)
class Card:
    """All that is left of a card number; PCI DSS 4.0.1 allows the last four (3.4.1) and a keyed hash (3.5.1.1)."""

    brand: Brand
    last_four: str
    token: str


def card_of(number: str, brand: Brand, *, token: CardToken) -> Card:
    """What is left of a brand's number.

    Raises:
        ThresholdError: `token` gave what is no token: with digits in it might be taken for a number, or hold one.
    """
    return Card(brand, number[-_LAST:], _checked(token(number)))


def mark_of(what: Card | Identity | Forbidden) -> str:
    """The mark of a card, an identity or something forbidden."""
    match what:
        case Card():
            return f"[card {what.brand.value} …{what.last_four} {what.token}]"
        case Identity():
            return f"[{what.kind.value}]"
        case Forbidden.TRACK:
            return "[dropped stripe]"
        case Forbidden.CARD_CODE | Forbidden.PIN:
            return "[dropped secret]"


def number_mark(card: CardNumber, *, token: CardToken) -> str:
    """The mark of a number that is no brand's."""
    return f"[number …{card.number[-_LAST:]} {_checked(token(card.number))}]"


def holds_a_mark(text: str) -> bool:
    """Whether something was taken out of it."""
    return _MARK.search(text) is not None


def holds_marks_only(text: str) -> bool:
    """Whether there is nothing else in it, so that a field named for a person is left as it is."""
    return _MARKS.fullmatch(text) is not None


_LAST = 4
_TOKEN = re.compile(r"[A-Za-z_]{1,64}")
_MARK = re.compile(
    r"\[(?:(?:card [a-z_]{1,20}|number) …[0-9]{4} [A-Za-z_]{1,64}|"
    + "|".join(kind.value for kind in IdentityKind)
    + r"|dropped (?:stripe|secret)|taken out)\]"
)
_MARKS = re.compile(rf"(?:{_MARK.pattern} ?)+")


def _checked(token: str) -> str:
    if _TOKEN.fullmatch(token) is None:
        raise ThresholdError("sanitise", "the token function gave digits or nothing", "let it give letters and _ alone")
    return token
