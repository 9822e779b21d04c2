"""What people decided where equality could not: written down, and undone by writing that down, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edge.sealed.identifier import Identifier

__all__ = ["Decision", "Disregarded", "Entry", "Joined", "Undone", "standing"]


@dataclass(frozen=True, slots=True)
class Joined:
    """These two records are one customer's, whatever they say: a second member number, a number that was mistyped."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Disregarded:
    """`identifier` says nothing: on this `record` (a friend's card was shown), or without one on any (a shop's own phone)."""

    identifier: Identifier
    record: str | None = None


Decision = Joined | Disregarded
"""What changes who is one with whom."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The entry with this number no longer counts; it may itself be an undoing."""

    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book: numbered upwards, by whom and when."""

    number: int
    what: Decision | Undone
    by: str
    at: datetime


def standing(book: Iterable[Entry]) -> frozenset[Decision]:
    """The decisions that no later entry has undone, in whatever order the book is read."""
    undone: set[int] = set()
    decisions: set[Decision] = set()
    for entry in sorted(book, key=lambda entry: entry.number, reverse=True):
        if entry.number in undone:
            continue
        if isinstance(entry.what, Undone):
            if entry.what.number < entry.number:  # nothing undoes what is yet to come
                undone.add(entry.what.number)
        else:
            decisions.add(entry.what)
    return frozenset(decisions)
