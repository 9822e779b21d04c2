"""Which language to speak, and speaking it: words, numbers, money, dates and spans of time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from edge.web.words import LANGUAGES, WORDS, Language

__all__ = ["DEFAULT_LANGUAGE", "Speech", "accepted_language", "known_language"]

DEFAULT_LANGUAGE: Final[Language] = "en"
_CHOICES_READ = 20
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))
_NO_MINOR_UNIT = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF")
_THREE_DIGITS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")


def known_language(tag: str | None) -> Language | None:
    """The language of ours that a tag such as `zh`, `zh-Hans-CN` or `en_GB` asks for, if any."""
    primary = (tag or "").strip().lower().replace("_", "-").partition("-")[0]
    return next((language for language in LANGUAGES if language.lower().partition("-")[0] == primary), None)


def accepted_language(header: str | None) -> Language:
    """The best of ours in an Accept-Language header (RFC 9110, 12.5.4); English where it names none, or is nonsense."""
    ranked = []
    for choice in (header or "").split(",")[:_CHOICES_READ]:
        tag, _, parameter = choice.partition(";")
        language = known_language(tag)
        if language is not None:
            ranked.append((_quality(parameter), language))
    best = max(ranked, key=lambda pair: pair[0], default=(0.0, DEFAULT_LANGUAGE))
    return best[1] if best[0] > 0 else DEFAULT_LANGUAGE


def _quality(parameter: str) -> float:
    """`q=0.8` to 0.8; 1 where it is absent, 0 (not acceptable) where it is no number from 0 to 1."""
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


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
