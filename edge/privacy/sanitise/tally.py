"""What a cleaning took out, as it goes along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from edge.privacy.sanitise.finds import CardNumber, Find, Forbidden, Identity
from edge.privacy.sanitise.marks import Card, CardToken, card_of, mark_of, number_mark

__all__ = ["Cleaned", "Tally"]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A value with nothing to hide left in it, and what was in it."""

    value: Any = field(repr=False)
    """The same object where there was nothing to hide; else the same structure with marks in it."""
    cards: tuple[Card, ...] = ()
    """Each once, in the order found."""
    identities: tuple[Identity, ...] = ()
    """Normalised and each once, for the caller to seal or to let go; what had no normal form is not among them."""
    dropped: Mapping[Forbidden, int] = field(default_factory=lambda: MappingProxyType({}))
    """How often what PCI DSS forbids to keep was dropped: a reason for an alarm."""
    numbers: int = 0
    """Numbers that pass Luhn, or stood in a card number's field, and are surely no brand's, or not surely a brand's."""

    @property
    def anything(self) -> bool:
        """Whether anything was taken out that is counted here."""
        return bool(self.cards or self.identities or self.dropped or self.numbers)


class Tally:
    """Counts finds and gives their marks."""

    __slots__ = ("_cards", "_dropped", "_identities", "_numbers", "_token")

    def __init__(self, token: CardToken) -> None:
        self._token = token
        self._cards: dict[Card, None] = {}
        self._identities: dict[Identity, None] = {}
        self._dropped: Counter[Forbidden] = Counter()
        self._numbers = 0

    def mark(self, found: CardNumber | Identity | Forbidden) -> str:
        """Count what was found; what to write in its place."""
        match found:
            case CardNumber(brand=None):
                self._numbers += 1
                return number_mark(found, token=self._token)
            case CardNumber(number=number, brand=brand):
                assert brand is not None  # noqa: S101  the case before has the others
                card = card_of(number, brand, token=self._token)
                self._cards[card] = None
                return mark_of(card)
            case Identity():
                if found.value:
                    self._identities[found] = None
            case Forbidden():
                self._dropped[found] += 1
        return mark_of(found)

    def marks(self, told: Iterable[Find]) -> str:
        """The marks of several, with a space between."""
        return " ".join(self.mark(find.what) for find in told)

    def cleaned(self, value: Any) -> Cleaned:
        """`value`, and everything counted."""
        dropped = MappingProxyType(dict(self._dropped))
        return Cleaned(value, tuple(self._cards), tuple(self._identities), dropped, self._numbers)
