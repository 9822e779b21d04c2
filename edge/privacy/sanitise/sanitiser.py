"""The sanitiser itself: any value in, the same value without payment and identity data out."""

from __future__ import annotations

from typing import Any

from edge.privacy.sanitise.marks import CardToken
from edge.privacy.sanitise.tally import Cleaned, Tally
from edge.privacy.sanitise.walk import Walk

__all__ = ["Cleaned", "Sanitiser"]


class Sanitiser:
    """Takes card numbers, what is forbidden to keep, and identifiers out of any value. Any thread may use it.

    It finds what is written, not what is encoded: base64 or compressed data is left alone, escapes (percent, XML, JSON) are
    undone. A number split over several fields is not put together.
    """

    def __init__(self, token: CardToken, *, region: str = "CN") -> None:
        """`token` gives card numbers' keyed tokens (`card_token`); `region` (ISO 3166-1) is where phone numbers are dialled."""
        self._token = token
        self._walk = Walk(region=region)

    def clean(self, value: Any) -> Cleaned:
        """`value` with a mark in the place of everything found, in text, bytes, numbers, keys and whatever holds them.

        Cleaning again changes nothing. Whatever is no such thing is judged by its `str` and `repr`, and becomes its cleaned
        `repr` where they have something to hide.

        Raises:
            ThresholdError: the token function gives no tokens.
        """
        tally = Tally(self._token)
        return tally.cleaned(self._walk.value(value, tally))
