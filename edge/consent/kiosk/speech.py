"""Saying things in one language: the catalogues in `words/`, numbers, dates."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from edge.clock import from_epoch_s
from edge.consent.purposes import LANGUAGES, Language
from edge.errors import ThresholdError

__all__ = ["Catalogue", "Speech"]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class Catalogue:
    """Everything the pages say, by language and message id."""

    def __init__(self, texts: Mapping[Language, Mapping[str, str]]) -> None:
        """Take the texts of every language.

        Raises:
            ThresholdError: a language lacks a message, or fills in other values than the first does.
        """
        first = {name: _values(text) for name, text in texts[LANGUAGES[0]].items()}
        for language in LANGUAGES:
            found = {name: _values(text) for name, text in texts[language].items()}
            if found != first:
                odd = sorted(name for name in {*found, *first} if found.get(name) != first.get(name))
                raise ThresholdError("read the kiosk's words", f"{language}: {', '.join(odd)}", "say them alike")
        self._texts = texts

    @classmethod
    def load(cls) -> Catalogue:
        """The catalogues that come with Threshold."""
        folder = files("edge.consent.kiosk").joinpath("words")
        return cls({each: tomllib.loads(folder.joinpath(f"{each}.toml").read_text("utf-8")) for each in LANGUAGES})

    def speech(self, language: Language, *, timezone: str) -> Speech:
        """Somebody who speaks `language` and lives by the shop's clock."""
        return Speech(self._texts[language], language=language, timezone=ZoneInfo(timezone))

    def name_of(self, language: Language) -> str:
        """What a language calls itself."""
        return self._texts[language]["language_name"]


class Speech:
    """Says things in one language. `say("until", date=say.day(when))`."""

    def __init__(self, texts: Mapping[str, str], *, language: Language, timezone: ZoneInfo) -> None:
        self.language = language
        self._texts = texts
        self._timezone = timezone

    def __call__(self, message_id: str, **values: str | int) -> str:
        """The words for `message_id` with `values` filled in.

        Raises:
            KeyError: there are no such words, or a value is missing.
        """
        return self._texts[message_id].format(**values)

    def number(self, number: int) -> str:
        """`12,345`, as both languages write it."""
        return f"{number:,}"

    def day(self, moment: datetime | date) -> str:
        """`3 June 2025`, by the shop's clock."""
        day = moment.astimezone(self._timezone).date() if isinstance(moment, datetime) else moment
        return self("date", day=day.day, month=day.month, month_name=_MONTHS[day.month - 1], year=day.year)

    def last_day(self, expires_s: int) -> str:
        """The last whole day on which something that ends at `expires_s` is still good."""
        return self.day(from_epoch_s(expires_s) - timedelta(seconds=1))

    def clock(self, moment: datetime) -> str:
        """`14:05`, by the shop's clock."""
        return moment.astimezone(self._timezone).strftime("%H:%M")

    def moment(self, moment: datetime) -> str:
        """`3 June 2025, 14:05`, by the shop's clock."""
        return self("moment", day=self.day(moment), clock=self.clock(moment))


def _values(text: str) -> frozenset[str]:
    """The names in braces. A date may leave one out: Chinese months have numbers."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name) - {"month", "month_name"}
