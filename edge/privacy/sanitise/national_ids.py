"""Chinese resident identity numbers: 18 characters with day of birth and check character (GB 11643-1999)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

__all__ = ["resident_id", "resident_ids"]

_RESIDENT_ID = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}[ -]?(?:0[1-9]|1[0-2])[ -]?(?:0[1-9]|[12][0-9]|3[01])"
    r"[ -]?[0-9]{3}[ -]?[0-9Xx]"
    r"(?![0-9A-Za-z])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
"""ISO 7064, MOD 11-2."""


def resident_ids(plain: str) -> Iterator[tuple[int, int, str]]:
    """From where to where each stands in `plain`, and its normal form."""
    for found in _RESIDENT_ID.finditer(plain):
        normal = resident_id(found[0])
        if normal is not None:
            yield found.start(), found.end(), normal


def resident_id(written: str) -> str | None:
    """Eighteen characters with a capital X; None where the check character or the day of birth is wrong."""
    normal = re.sub(r"[\s-]", "", written).upper()
    if re.fullmatch(r"[1-9][0-9]{16}[0-9X]", normal) is None:
        return None
    weighed = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, normal, strict=False))
    if _CHECKS[weighed % 11] != normal[-1]:
        return None
    try:
        date(int(normal[6:10]), int(normal[10:12]), int(normal[12:14]))
    except ValueError:
        return None
    return normal
