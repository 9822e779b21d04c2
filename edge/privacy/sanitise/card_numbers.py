"""Card numbers in text: 13 to 19 digits that pass Luhn, with whatever stands between them, wherever they stand.

A stretch of a longer row of digits counts as well when prefix and length are a brand's; it goes, but is told without the
brand, since long rows hold such by chance. Numbers that pass Luhn and are no brand's count where they stand alone; not if
they read as a moment, are one digit all along, or are a right GTIN where an article's number is expected. A right GTIN there
that passes for a card goes as a number without a brand: one German or Japanese article in ten, still the same token each
time, for the price that no card number passes for an article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edge.privacy.sanitise.brands import ISSUERS, PREFIX_DIGITS
from edge.privacy.sanitise.finds import CardNumber, Find, Rank
from edge.privacy.sanitise.luhn import CardSums, gs1_valid, luhn_valid
from edge.privacy.sanitise.spared import mask_spared, reads_as_time
from edge.privacy.sanitise.view import View, view_of

__all__ = ["SHORTEST", "cards_in", "find", "plainly_article"]

SHORTEST, _LONGEST = 13, 19
_RUN = re.compile(rf"[0-9](?:[\W_]*+[0-9]){{{SHORTEST - 1},}}+")
"""Digits with anything but letters between them. Possessive: read once, whatever they are."""
_UNBROKEN = re.compile(rf"(?<![0-9])[0-9]{{{SHORTEST},{_LONGEST}}}+(?![0-9])")
_GROUP = re.compile(r"[0-9]+")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_GTIN_DIGITS = (13, 14)
_GTIN_LENGTHS = (8, 12, 13, 14)
_GROUP_DIGITS = range(3, 7)


def find(text: str, *, article: bool = False) -> list[Find]:
    """Every card number in `text`. `article`: an article's number is what is expected there."""
    view = view_of(text)
    return list(cards_in(view, mask_spared(view.plain), article=article))


def plainly_article(text: str) -> bool:
    """Whether `text` is a right GTIN (8 to 14 digits) that no stretch of passes for a brand's: nothing to look for in it."""
    if not (text.isascii() and text.isdigit() and len(text) in _GTIN_LENGTHS and gs1_valid(text)):
        return False
    return all(text[start : start + PREFIX_DIGITS] not in ISSUERS for start in range(len(text) - SHORTEST + 1))


def cards_in(view: View, masked: str, *, article: bool) -> Iterator[Find]:
    """The same for a text's view; `masked` is what it reads, in the same places, without what is spared."""
    gtin = article and _is_gtin(masked.strip())
    for run in _RUN.finditer(masked):
        places: Sequence[int] = range(run.start(), run.end())
        digits = run[0]
        if not digits.isdigit():
            places = [at for at in places if masked[at] in "0123456789"]
            digits = _NOT_DIGITS.sub("", digits)
        for start, end, card in _branded(digits):
            first, last = places[start], places[end - 1] + 1
            alone = not masked[max(first - 1, 0) : first].isdigit() and not masked[last : last + 1].isdigit()
            what = card if alone and not gtin else CardNumber(card.number, None)
            yield Find(*view.span(first, last), _rank(card, alone=alone), what)
        yield from _unbranded(view, run, digits, gtin=gtin)


def _rank(card: CardNumber, *, alone: bool) -> Rank:
    """Thirteen digits, which no Visa card has had for twenty years, are rather Germany's +49 and ten, or an article."""
    if not alone:
        return Rank.CARD_WITHIN
    return Rank.CARD if len(card.number) > SHORTEST else Rank.NUMBER


def _branded(digits: str) -> Iterator[tuple[int, int, CardNumber]]:
    sums: CardSums | None = None
    for start in range(len(digits) - SHORTEST + 1):
        issuer = ISSUERS.get(digits[start : start + PREFIX_DIGITS])
        if issuer is None:
            continue
        sums = sums or CardSums(digits)
        for end in (start + length for length in issuer.lengths):
            if end <= len(digits) and sums.valid(start, end):
                yield start, end, CardNumber(digits[start:end], issuer.brand)


def _unbranded(view: View, run: re.Match[str], digits: str, *, gtin: bool) -> Iterator[Find]:
    """Each unbroken group, and the whole where it is grouped as numbers on cards are."""
    groups = [(run.start(), run.end(), digits)] if len(digits) <= _LONGEST and _grouped(run[0]) else []
    unbroken = _UNBROKEN.finditer(run.string, run.start(), run.end())
    groups += [(found.start(), found.end(), found[0]) for found in unbroken]
    for start, end, number in dict.fromkeys(groups):
        if not gtin and len(set(number)) > 1 and luhn_valid(number) and not reads_as_time(number):
            yield Find(*view.span(start, end), Rank.NUMBER, CardNumber(number, None))


def _grouped(run: str) -> bool:
    *groups, _ = [len(group) for group in _GROUP.findall(run)]
    return bool(groups) and all(length in _GROUP_DIGITS for length in groups)


def _is_gtin(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in _GTIN_DIGITS and gs1_valid(text)
