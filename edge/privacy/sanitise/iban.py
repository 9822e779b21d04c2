"""International bank account numbers (ISO 13616): country, check digits and as many characters as the country's have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

__all__ = ["iban", "ibans"]

_HEAD = re.compile(r"(?<![0-9A-Za-z_])(?:[A-Z]{2}|[a-z]{2})[0-9]{2}(?=[ -]?[0-9A-Za-z])")
_SEPARATORS = frozenset(" -")
_LONGEST_WRITTEN = 52

_LENGTHS = MappingProxyType(
    {
        country: length
        for length, countries in {
            15: "NO",
            16: "BE",
            18: "DK FI FO GL NL SD FK",
            19: "MK SI",
            20: "AT BA EE KZ LT LU XK MN",
            21: "CH HR LI LV",
            22: "BG BH CR DE GB GE IE ME RS VA",
            23: "AE GI IL IQ OM SO TL",
            24: "AD CZ ES MD PK RO SA SE SK TN VG",
            25: "LY PT ST",
            26: "IS TR",
            27: "BI DJ FR GR IT MC MR SM",
            28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
            29: "BR EG PS QA UA",
            30: "JO KW MU YE",
            31: "MT SC",
            32: "LC",
            33: "RU",
        }.items()
        for country in countries.split()
    }
)
"""SWIFT's IBAN registry."""


def ibans(plain: str) -> Iterator[tuple[int, int, str]]:
    """From where to where each stands in `plain`, and its normal form."""
    for head in _HEAD.finditer(plain):
        end = _end(plain, head.start(), length=_LENGTHS.get(head[0][:2].upper(), 0))
        normal = iban(plain[head.start() : end]) if end is not None else None
        if end is not None and normal is not None:
            yield head.start(), end, normal


def iban(written: str) -> str | None:
    """Capitals and digits alone; None where length or check digits are wrong (ISO 7064, MOD 97-10)."""
    normal = "".join(letter for letter in written if not letter.isspace() and letter != "-").upper()
    if re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", normal) is None or len(normal) != _LENGTHS.get(normal[:2]):
        return None
    number = "".join(str(int(letter, 36)) for letter in normal[4:] + normal[:4])
    return normal if int(number) % 97 == 1 else None


def _end(plain: str, start: int, *, length: int) -> int | None:
    """Where `length` letters and digits end, and the word with them."""
    taken = 0
    for at in range(start, min(start + _LONGEST_WRITTEN, len(plain))):
        letter = plain[at]
        if letter.isascii() and letter.isalnum():
            taken += 1
        elif letter not in _SEPARATORS:
            return None
        if taken == length:
            follows = plain[at + 1 : at + 2]
            return None if follows.isascii() and follows.isalnum() else at + 1
    return None
