"""What holds nothing else: texts, numbers, bytes, and objects by how they show themselves."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from edge.privacy.sanitise.card_numbers import plainly_article
from edge.privacy.sanitise.encodings import decoded, encoded
from edge.privacy.sanitise.fields import Meaning, Role
from edge.privacy.sanitise.finds import CardNumber, Forbidden, IdentityKind, Rank
from edge.privacy.sanitise.identity import named_identity
from edge.privacy.sanitise.marks import UNREADABLE, holds_marks_only
from edge.privacy.sanitise.scan import scan, scan_cards
from edge.privacy.sanitise.tally import Tally
from edge.privacy.sanitise.view import view_of

__all__ = ["SMALL", "Leaves"]

_ROUNDS = 4
SMALL, _SMALL_FIGURE, _SMALL_NAMED = 10**6, 10**12, 10**3
"""Below, a number is nobody's: as a rule, in a figure, and in a field named for an identity."""
_LARGEST_FLOAT = 1e19
_LONG_BITS = 4096
_PARTIAL_DIGITS = 8
_BY_STR = (UUID, date, time, timedelta, Decimal, PurePath, Enum)
"""Their `repr` says no more, and the digits of a moment's may pass for a card number."""


class Leaves:
    """Cleans single values into a tally."""

    __slots__ = ("_region",)

    def __init__(self, *, region: str) -> None:
        self._region = region

    def text(self, text: str, tally: Tally, meaning: Meaning | None) -> str:
        """`text` without what has to go; `meaning` is that of the field it stands in."""
        if meaning is None or meaning is Role.FIGURE:
            return self._free(text, tally)
        if meaning is Role.ARTICLE:
            return text if plainly_article(text) else self._free(text, tally, article=True)
        if not text.strip() or holds_marks_only(text):
            return text
        if isinstance(meaning, Forbidden):
            return tally.mark(meaning)
        if meaning is Role.CARD_NUMBER:
            return self._card_number(text, tally)
        return self._named(text, tally, IdentityKind.NAME if meaning is Role.PERSON else meaning)

    def number(self, number: float, tally: Tally, meaning: Meaning | None) -> Any:
        """`number`, or marks. Fractions are left: no card number is one, and a score has as many digits."""
        if isinstance(number, float) and not (abs(number) < _LARGEST_FLOAT and number.is_integer()):
            return number
        whole = int(number)
        if abs(whole) < _small(meaning):
            return number
        if whole.bit_length() > _LONG_BITS:
            return UNREADABLE
        written = str(abs(whole))
        cleaned = self.text(written, tally, IdentityKind.MEMBER if meaning is Role.PERSON else meaning)
        return number if cleaned == written else cleaned

    def other(self, value: Any, tally: Tally, meaning: Meaning | None) -> Any:
        """Bytes in the encoding they came in; of an object what is left of its `repr`, itself if that has nothing to hide."""
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(value, tally, meaning)
        shown = str(value)
        if isinstance(value, _BY_STR):
            cleaned = self._free(shown, tally)
            return value if cleaned == shown else cleaned
        told = repr(value)
        if not scan(shown, region=self._region) and not scan(told, region=self._region):
            return value
        return self._free(told if told != object.__repr__(value) else shown, tally)

    def _bytes(self, raw: bytes | bytearray | memoryview, tally: Tally, meaning: Meaning | None) -> Any:
        text, encoding = decoded(bytes(raw))
        cleaned = self.text(text, tally, meaning)
        return raw if cleaned == text else encoded(cleaned, encoding)

    def _free(self, text: str, tally: Tally, *, article: bool = False) -> str:
        """Again until nothing is found, so that a second cleaning finds nothing either."""
        for _ in range(_ROUNDS):
            settled = scan(text, region=self._region, article=article)
            if not settled:
                return text
            parts: list[str] = []
            done = 0
            for stretch in settled:
                parts += text[done : stretch.start], tally.marks(stretch.told)
                done = stretch.end
            text = "".join(parts) + text[done:]
        return UNREADABLE if scan(text, region=self._region, article=article) else text

    def _named(self, text: str, tally: Tally, kind: IdentityKind) -> str:
        """All of it goes. A card's number there is not sealed as a person's, unless it is but a part of a number."""
        cards = [find for find in scan_cards(text) if kind in _IN_WORDS or find.rank <= Rank.CARD]
        if cards:
            return tally.marks(cards)
        identity = named_identity(kind, text, region=self._region)
        if identity.value and kind not in _IN_WORDS:
            return tally.mark(identity)
        others = [find for stretch in scan(text, region=self._region) for find in stretch.told]
        own = [tally.mark(identity)] if identity.value or not others else []
        return " ".join([*own, tally.marks(others)] if others else own)

    def _card_number(self, text: str, tally: Tally) -> str:
        cards = scan_cards(text)
        if cards:
            return tally.marks(cards)
        digits = "".join(letter for letter in view_of(text).plain if letter in "0123456789")
        return tally.mark(CardNumber(digits, None)) if len(digits) >= _PARTIAL_DIGITS else self._free(text, tally)


_IN_WORDS = frozenset({IdentityKind.NAME, IdentityKind.PERSONAL})


def _small(meaning: Meaning | None) -> int:
    """Numbers below are nobody's."""
    if meaning is None or meaning is Role.ARTICLE:
        return SMALL
    return _SMALL_FIGURE if meaning is Role.FIGURE else _SMALL_NAMED
