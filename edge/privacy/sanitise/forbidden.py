"""What must never be kept of a card (PCI DSS 4.0.1, 3.3.1), told by its format or by the words before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge.privacy.sanitise.finds import Find, Forbidden, Rank
from edge.privacy.sanitise.luhn import CardSums
from edge.privacy.sanitise.view import View, view_of

__all__ = ["find", "forbidden_in"]


def find(text: str) -> list[Find]:
    """Every magnetic track, card code and PIN in `text`."""
    return list(forbidden_in(view_of(text)))


def forbidden_in(view: View) -> Iterator[Find]:
    """The same for a text's view."""
    if len(view.plain) >= _SHORTEST_TRACK:
        yield from _tracks(view)
    for found in _CARD_CODE.finditer(view.plain):
        yield Find(*view.span(*found.span()), Rank.CODE, Forbidden.CARD_CODE)
    for found in _PIN.finditer(view.plain):
        yield Find(*view.span(*found.span()), Rank.CODE, Forbidden.PIN)


def _tracks(view: View) -> Iterator[Find]:
    for found in _TRACK_1.finditer(view.plain):
        yield Find(*view.span(*found.span()), Rank.TRACK, Forbidden.TRACK)
    for found in _TRACK_2.finditer(view.plain):
        if found["sentinel"] or _ends_in_card(found["number"]):
            yield Find(*view.span(*found.span()), Rank.TRACK, Forbidden.TRACK)


_SHORTEST_TRACK = 15
_TRACK_1 = re.compile(
    r"%?[A-Za-z](?:[0-9][ -]?){12,19}\^[^\^\r\n?]{0,40}\^[0-9]{0,4}[^?\r\n]{0,80}+\??|%[A-Za-z][0-9]{12,19}[^?\r\n]{0,80}+\?"
)
"""ISO/IEC 7813: %, format code, number, ^, name, ^, expiry, service code, discretionary data, ?; sentinels get lost."""

_TRACK_2 = re.compile(
    r"(?<![0-9])(?P<sentinel>;)?(?P<number>[0-9]{12,}+)[=Dd][0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3,}+[Ff]?(?:=[0-9=]*+)?\??"
)
"""ISO/IEC 7813, and tag 57 of EMV with D in place of =. Without ; what stands before must end in a number that passes Luhn."""

_BETWEEN = r"""(?:[\s_-]?(?:code|value|number|num|no|nr|is|was|was|为|是))?+[\s:=#"'>,.()\[\]\\/-]{0,8}+"""
_CARD_CODE = re.compile(
    r"(?<![A-Za-z])(?:cvv2?|cvc2?|cvn2?|cav2|csc|security[\s_-]?code|verification[\s_-]?(?:code|value)|安全码|验证码|校验码)"
    + _BETWEEN
    + r"[0-9](?:[\s.-]?[0-9]){2,3}(?![0-9])",
    re.IGNORECASE,
)
_PIN = re.compile(
    r"(?<![A-Za-z])(?:(?:card|encrypted|online)?[\s_-]?pin(?:[\s_-]?block)?|密码)"
    + _BETWEEN
    + r"(?:[0-9A-F]{16}|[0-9]{4,12})(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def _ends_in_card(digits: str) -> bool:
    """The last 13 to 19 (Maestro: 12) are a card's: the length of tag 57 may stand before them."""
    tail = digits[-19:]
    sums = CardSums(tail)
    return any(sums.valid(start, len(tail)) for start in range(len(tail) - 11))
