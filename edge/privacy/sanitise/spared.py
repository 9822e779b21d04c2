"""Long numbers that are no card's, told by their own grammar: masked, so that no part of them is taken for one.

One random UUID in 400 holds something that passes for a card number, of WeChat Pay's transaction numbers two in three do; a
sale would be lost, or a payment's number. The grammar must fit to the letter: what only resembles it is looked through.
"""

from __future__ import annotations

import re

__all__ = ["is_spared", "mask_short", "mask_spared", "reads_as_time"]


def mask_spared(plain: str) -> str:
    """`plain` with a letter in the place of each letter of such a number, so that it also ends what stands before it."""
    return _SPARED.sub(lambda found: "x" * len(found[0]), plain)


def mask_short(plain: str) -> str:
    """The same for days and IP addresses: too short for a card's, but a telephone's number has as many digits."""
    return _SHORT.sub(lambda found: "x" * len(found[0]), plain)


def is_spared(text: str) -> bool:
    """Whether `text` is such a number, a moment or a small amount, and nothing else: what messages are full of."""
    return _WHOLE.fullmatch(text) is not None


def reads_as_time(digits: str) -> bool:
    """Whether unbroken digits are a moment between 2011 and 2036: since 1970 in ms, µs or ns, or written YYYYMMDDhhmmss.

    No brand in `brands` has numbers of these lengths that begin so, so a card of theirs cannot pass for a moment.
    """
    return _STAMP.fullmatch(digits) is not None


_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_DATE_COMPACT = r"20[1-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?"
_CLOCK_COMPACT = r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"

_UUID = (
    r"(?=(?:[0-9-]{0,35}+[A-Fa-f]){2})"
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"
)
"""RFC 9562, with two letters at least: what is written in digits alone may be a card's."""

_WECHAT_PAY = rf"4\d{{9}}{_DATE_COMPACT}\d{{10}}"
_ALIPAY = rf"{_DATE_COMPACT}\d{{20}}"
_UNIONPAY = rf"{_DATE_COMPACT}{_CLOCK_COMPACT}\d{{7}}"
"""transaction_id (28 digits), trade_no (28), queryId (21): the platforms' own numbers of a payment, with its day inside."""

_SHA_256 = r"(?=(?:[0-9]*+[a-f]){12})[0-9a-f]{64}"
"""A digest has some 24 letters; a chip's data, whose hex holds the card number, has few."""

_LEADING_STAMP = rf"{_DATE_COMPACT}{_CLOCK_COMPACT}(?=\d{{6}})"
"""Shops number orders by the moment and some digits more; what follows the moment is looked at."""

_SPARED = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_UUID}|{_SHA_256})(?![0-9A-Za-z])"
    rf"|(?<![0-9]){_DATE}[T ]{_TIME}(?![0-9])"
    rf"|(?<![0-9])(?:{_WECHAT_PAY}|{_ALIPAY}|{_UNIONPAY})(?![0-9])"
    rf"|(?<![0-9]){_LEADING_STAMP}"
)

_SHORT = re.compile(
    rf"(?<![0-9])(?:{_DATE}|(?:\d{{1,3}}\.){{3}}\d{{1,3}}|\d\d([./])\d\d\1(?:19|20)\d\d)(?![\W_]?[0-9])"
)

_WHOLE = re.compile(
    rf"{_UUID}|{_DATE}(?:[T ]{_TIME})?|[0-9]{{1,6}}(?:\.[0-9]{{1,2}})?|{_WECHAT_PAY}|{_ALIPAY}|{_UNIONPAY}|{_SHA_256}"
)

_STAMP = re.compile(
    r"(?:1[3-9]|20)(?:\d{11}|\d{14}|\d{17})"
    r"|20[1-3]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?:\d{3})?"
)
