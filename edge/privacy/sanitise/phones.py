"""Telephone numbers in text, as people write and dial them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

__all__ = ["phones_in"]

_PHONE_DIGITS = range(7, 16)
"""ITU-T E.164 allows fifteen at most; local ones without an area code have seven at least."""

_RUN = re.compile(r"(?<![0-9+])[+(]{0,2}[0-9](?:[ \u00a0()./-]{0,3}+[0-9])++")
_GROUP = re.compile(r"[0-9]+")
_TRIES, _LOOKS = 32, 2000
_ALONE_DIGITS = 10
_FROM_ABROAD = re.compile(r"\(?(?:\+|00)")
_NOT_DIGITS = re.compile(r"[^0-9]")


def phones_in(
    masked: str, *, region: str, taken: Callable[[int, int], bool]
) -> Iterator[tuple[int, int, phonenumbers.PhoneNumber | None]]:
    """From where to where each stands, and the number; None where too much was looked at to tell. Skips what is `taken`.

    Looking a number up costs tens of microseconds. A text that asks for more than 32 look-ups, or has more than 2,000
    stretches that might be worth one, is hostile or a table: whatever has a number's length goes then.
    """
    directory = _Directory(region)
    for run in _RUN.finditer(masked):
        groups = [found.span() for found in _GROUP.finditer(masked, run.start(), run.end())]
        at = 0
        while at < len(groups):
            start = _widened(masked, groups[at][0], run.start())
            for last in _lasts(groups, at):
                end = groups[last][1]
                if not taken(start, end) and directory.has(masked[start:end]):
                    yield start, end, directory.found
                    at = last
                    break
            at += 1


class _Directory:
    """Looks numbers up, as often as it is worth it; `found` is the last one, None once it has given up."""

    def __init__(self, region: str) -> None:
        self.found: phonenumbers.PhoneNumber | None = None
        self._region, self._home = region, _home(region)
        self._looks, self._tries = _LOOKS, _TRIES

    def has(self, written: str) -> bool:
        """Whether it is a number that is given out and dialled so; always once it has given up."""
        self._looks -= 1
        dialled = self._home.worth_a_try(written) if self._looks >= 0 else None
        if dialled is not None:
            self._tries -= 1
        self.found = None
        if self._looks < 0 or self._tries < 0:
            return self._looks < 0 or dialled is not None
        self.found = _dialled(dialled, self._region) if dialled is not None else None
        return self.found is not None


class _Home:
    """How numbers are dialled in a region, as far as can be told without looking one up."""

    def __init__(self, region: str) -> None:
        metadata = PhoneMetadata.metadata_for_region(region)
        self._code = str(phonenumbers.country_code_for_region(region))
        self._prefix = metadata.national_prefix or "" if metadata is not None else ""
        self._any = _pattern(metadata.general_desc if metadata is not None else None)
        # Where calls within a country begin with 0, only mobile numbers are ever dialled without, and not everywhere.
        self._unprefixed = _pattern(metadata.mobile) if metadata is not None and self._prefix == "0" else self._any

    def worth_a_try(self, written: str) -> str | None:
        """What to look up for `written`, None where it can be no number of a person.

        Bare digits must be as many as a whole number has: shorter ones are a session's, a slip's, an article's.
        """
        if _FROM_ABROAD.match(written) is not None:
            return written
        digits = _NOT_DIGITS.sub("", written)
        if digits == written and len(digits) < (_ALONE_DIGITS - digits.startswith("0")):
            return None
        prefixed = self._prefix and digits.startswith(self._prefix) and self._any(digits[len(self._prefix) :])
        if prefixed or self._unprefixed(digits):
            return written
        with_code = digits.startswith(self._code) and self._any(digits[len(self._code) :])
        return f"+{digits}" if with_code else None


def _pattern(described: phonenumbers.PhoneNumberDesc | None) -> Callable[[str], object]:
    pattern = described.national_number_pattern if described is not None else None
    return re.compile(pattern).fullmatch if pattern is not None else lambda _digits: None


@lru_cache(maxsize=8)
def _home(region: str) -> _Home:
    return _Home(region)


def _lasts(groups: list[tuple[int, int]], first: int) -> Iterator[int]:
    """The groups that a number from `first` on may end with, the longest first."""
    digits, fitting = 0, []
    for last in range(first, len(groups)):
        digits += groups[last][1] - groups[last][0]
        if digits >= _PHONE_DIGITS.stop:
            break
        if digits in _PHONE_DIGITS:
            fitting.append(last)
    return reversed(fitting)


def _widened(masked: str, start: int, earliest: int) -> int:
    """With the + or bracket before it."""
    while start > earliest and masked[start - 1] in "+(":
        start -= 1
    return start


def _dialled(written: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The number, where it is given out and is written as it is dialled: from abroad, or as at home, prefix and all."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension is not None or not phonenumbers.is_valid_number(number):
        return None
    from_abroad = _FROM_ABROAD.match(written) is not None
    return number if from_abroad or _NOT_DIGITS.sub("", _national(number)) == _NOT_DIGITS.sub("", written) else None


def _national(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
