"""The check digits of payment cards (Luhn, ISO/IEC 7812-1 annex B) and of articles (GS1 General Specifications, 7.9)."""

from __future__ import annotations

from itertools import accumulate

__all__ = ["CardSums", "gs1_valid", "luhn_valid"]

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_TEN = 10


class CardSums:
    """Luhn sums of every stretch of one long number, each in constant time: hostile input stays linear."""

    __slots__ = ("_running",)

    def __init__(self, digits: str) -> None:
        """`digits` are 0 to 9 alone."""
        numbers = [int(digit) for digit in digits]
        self._running = tuple(
            list(accumulate((n if at % 2 == plain else _DOUBLED[n] for at, n in enumerate(numbers)), initial=0))
            for plain in (0, 1)
        )

    def valid(self, start: int, end: int) -> bool:
        """Whether the digits from `start` up to `end` pass: the last one counts plain, the one before it doubled."""
        running = self._running[(end - 1) % 2]
        return (running[end] - running[start]) % _TEN == 0


def luhn_valid(digits: str) -> bool:
    """Whether the digits, the check digit with them, pass."""
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % _TEN == 0


def gs1_valid(digits: str) -> bool:
    """Whether they are a GTIN with its right check digit: weights 3 and 1 in turn, from the right."""
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(digits)))
    return total % _TEN == 0
