"""Which card brand a number's first digits name, and how many digits that brand's numbers have (ISO/IEC 7812-1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = ["ISSUERS", "PREFIX_DIGITS", "Brand", "Issuer", "brand_of"]

PREFIX_DIGITS = 4
"""So many digits tell a brand here. Where brands share them the lengths of all are looked for, and one of them is named."""


class Brand(StrEnum):
    """A card scheme."""

    VISA = "visa"
    MASTERCARD = "mastercard"
    AMEX = "amex"
    UNIONPAY = "unionpay"
    JCB = "jcb"
    DINERS = "diners"
    DISCOVER = "discover"
    MAESTRO = "maestro"
    MIR = "mir"
    RUPAY = "rupay"
    ELO = "elo"
    HIPERCARD = "hipercard"
    INTERPAYMENT = "interpayment"
    INSTAPAYMENT = "instapayment"
    DANKORT = "dankort"
    VERVE = "verve"
    TROY = "troy"
    UZCARD = "uzcard"
    HUMO = "humo"
    NAPAS = "napas"
    T_UNION = "t_union"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose numbers begin so, and how long they are, longest first."""

    brand: Brand
    lengths: tuple[int, ...]


def brand_of(number: str) -> Brand | None:
    """The brand of a number of plain digits, by its prefix and length; whether it passes Luhn is not looked at."""
    issuer = ISSUERS.get(number[:PREFIX_DIGITS])
    return issuer.brand if issuer is not None and len(number) in issuer.lengths else None


_13_19, _16_19, _14_19, _16 = range(13, 20), range(16, 20), range(14, 20), (16,)

_RANGES: tuple[tuple[Brand, str, str, Iterable[int]], ...] = (
    # Widest first: a later, narrower range takes the name of a prefix over, the lengths of both remain.
    (Brand.VISA, "4", "4", (13, 16, 18, 19)),
    (Brand.MASTERCARD, "51", "55", _16),
    (Brand.MASTERCARD, "2221", "2720", _16),
    (Brand.MAESTRO, "50", "50", _13_19),
    (Brand.MAESTRO, "56", "58", _13_19),
    (Brand.MAESTRO, "67", "67", _13_19),
    (Brand.MAESTRO, "6304", "6304", _13_19),
    (Brand.AMEX, "34", "34", (15,)),
    (Brand.AMEX, "37", "37", (15,)),
    (Brand.RUPAY, "353", "353", _16),
    (Brand.RUPAY, "356", "356", _16),
    (Brand.JCB, "3528", "3589", _16_19),
    (Brand.JCB, "1800", "1800", (15,)),
    (Brand.JCB, "2131", "2131", (15,)),
    (Brand.T_UNION, "31", "31", (19,)),
    (Brand.DINERS, "300", "305", _14_19),
    (Brand.DINERS, "3095", "3095", _14_19),
    (Brand.DINERS, "36", "36", _14_19),
    (Brand.DINERS, "38", "39", _14_19),
    (Brand.RUPAY, "60", "60", _16),
    (Brand.RUPAY, "81", "82", _16),
    (Brand.RUPAY, "508", "508", _16),
    (Brand.UNIONPAY, "62", "62", _16_19),
    (Brand.UNIONPAY, "810", "817", _16_19),
    (Brand.DISCOVER, "6011", "6011", _16_19),
    (Brand.DISCOVER, "644", "649", _16_19),
    (Brand.DISCOVER, "65", "65", _16_19),
    (Brand.INTERPAYMENT, "636", "636", _16_19),
    (Brand.INSTAPAYMENT, "637", "639", _16),
    (Brand.MIR, "2200", "2204", _16_19),
    (Brand.DANKORT, "5019", "5019", _16),
    (Brand.VERVE, "5060", "5061", (16, 18, 19)),
    (Brand.ELO, "5066", "5067", _16),
    (Brand.HIPERCARD, "6062", "6062", (13, 16, 19)),
    (Brand.UZCARD, "8600", "8600", _16),
    (Brand.UZCARD, "5614", "5614", _16),
    (Brand.TROY, "9792", "9792", _16),
    (Brand.HUMO, "9860", "9860", _16),
    (Brand.NAPAS, "9704", "9704", (16, 19)),
)
"""From the schemes' own published ranges and ISO/IEC 7812-1's major industries. Visa's 13 digits are no longer given out.

UATP, the airlines' cards (1 and 14 more), is left out: amid longer rows every tenth number would pass for one. Alone they go
as numbers without a brand.
"""


def _issuers() -> Mapping[str, Issuer]:
    brands: dict[str, Brand] = {}
    lengths: dict[str, set[int]] = {}
    for brand, first, last, told in _RANGES:
        low = int(first.ljust(PREFIX_DIGITS, "0"))
        high = int(last.ljust(PREFIX_DIGITS, "9"))
        for prefix in (f"{number:04d}" for number in range(low, high + 1)):
            brands[prefix] = brand
            lengths.setdefault(prefix, set()).update(told)
    made = {prefix: Issuer(brand, tuple(sorted(lengths[prefix], reverse=True))) for prefix, brand in brands.items()}
    return MappingProxyType(made)


ISSUERS = _issuers()
"""Every first four digits that are some brand's."""
