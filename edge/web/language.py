"""Speaking a language: words, numbers, money, dates and spans of time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from edge.serving.language import Language
from edge.web.words import WORDS

__all__ = ["Speech"]

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))
_NO_MINOR_UNIT = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF")
_THREE_DIGITS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")


class Speech:
    """Says things in one language. `say("ago", span="3 min")`."""

    def __init__(self, language: Language, *, sure: bool = True) -> None:
        """Speak `language`; not `sure` means that the figures at hand are not known, and every one is said as a dash."""
        self.language = language
        self._sure = sure

    def __call__(self, message_id: str, **values: str) -> str:
        """The words for `message_id` with `values` filled in.

        Raises:
            KeyError: there are no such words, or a value is missing.
        """
        return WORDS[message_id][self.language].format(**values)

    def number(self, number: int) -> str:
        """`12,345`, as both languages write it."""
        return f"{number:,}"

    def percent(self, number: int) -> str:
        """`23%`, as both languages write it."""
        return f"{number}%"

    def together(self, parts: Iterable[str]) -> str:
        """`one, two` or `一、二`."""
        return self("list_comma").join(parts)

    def figure(self, number: int) -> str:
        """A number read from the gateway's record; a dash where the record could not be read."""
        return self.number(number) if self._sure else self("unknown_figure")

    def of_record(self, message_id: str, **values: str) -> str:
        """Words that claim something of the record, such as that it holds none; a dash where it could not be read."""
        return self(message_id, **values) if self._sure else self("unknown_figure")

    def unsure(self) -> Speech:
        """The same language, for figures that are not known."""
        return Speech(self.language, sure=False)

    def money(self, minor: int, *, currency: str) -> str:
        """`EUR 1,234.50` from minor units, by the currency's own number of decimals (ISO 4217)."""
        digits = 0 if _NO_MINOR_UNIT.fullmatch(currency) else 3 if _THREE_DIGITS.fullmatch(currency) else 2
        sign = "−" if minor < 0 else ""
        whole, part = divmod(abs(minor), int(10**digits))
        return f"{currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")

    def span(self, seconds: float) -> str:
        """A length of time, roughly: in the largest unit that leaves two or more of it."""
        for message_id, unit_s in _UNITS:
            if seconds >= 2 * unit_s:
                return self(message_id, n=self.number(int(seconds // unit_s)))
        return self("seconds", n=self.number(int(seconds)))

    def length(self, seconds: int) -> str:
        """A length of time exactly: in the largest unit that it is a multiple of."""
        for message_id, unit_s in _UNITS:
            if seconds % unit_s == 0:
                return self(message_id, n=self.number(seconds // unit_s))
        return self("seconds", n=self.number(seconds))

    def ago(self, seconds: float) -> str:
        """How long ago; a moment that has only just passed (or, by a clock's slip, has not) is just now."""
        return self("just_now") if seconds < 2 else self("ago", span=self.span(seconds))

    def milliseconds(self, value: float) -> str:
        """A delay, in milliseconds up to ten seconds."""
        return self("milliseconds", n=self.number(round(value))) if value < 10_000 else self.span(value / 1000)

    def day(self, day: date) -> str:
        """`3 June 2025`."""
        month = self("months").split("|")[day.month - 1]
        return self("date", day=str(day.day), month=month, year=str(day.year))

    def weekday_date(self, day: date) -> str:
        """`Tuesday, 3 June 2025`."""
        weekday = self("weekdays").split("|")[day.weekday()]
        return self("date_and_weekday", weekday=weekday, date=self.day(day))

    def clock(self, moment: datetime, *, with_seconds: bool = False) -> str:
        """`14:05`, in the moment's own time zone."""
        return moment.strftime("%H:%M:%S" if with_seconds else "%H:%M")

    def moment(self, moment: datetime, *, now: datetime) -> str:
        """`14:05`, with the date before it where that is not today."""
        clock = self.clock(moment)
        if moment.date() == now.date():
            return clock
        return self("date_and_clock", date=self.day(moment.date()), clock=clock)
