"""What the pages remember of a visit: in memory alone, for as long as the visit lasts, and no longer.

A stay is known by a key that only the visitor's browser holds: at the kiosk a random cookie, on a shopper's own phone the
link of the page. Keys are made here and never taken from a request, so nobody can plant one (session fixation); a stay that
comes to belong to somebody gets a new one.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from edge.consent.choices import Codes, Relation, SessionCode
from edge.consent.purposes import AgeBand
from edge.consent.subject import Subject

__all__ = ["Draft", "Question", "Slip", "Stay", "Stays"]

_MOST_STAYS = 5_000
_MOST_OF_ONE_ADDRESS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know or to complain of, before it is sealed."""

    kind: Literal["question", "complaint"]
    words: str = field(repr=False)
    contact: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """Choices on the way from the first page to the last; nothing is written down before the last."""

    granted: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    """Those of `granted` that were agreed to once more, on a page of their own (PIPL Art. 29)."""
    asked: frozenset[str] = frozenset()
    age_band: AgeBand | None = None
    guardian: Relation | None = None
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Slip:
    """What the receipt page shows. The codes are nowhere else: gone with the stay."""

    codes: Codes
    at: datetime
    answer_due: datetime | None = None
    """For somebody who asked something: when the answer is due."""


@dataclass(slots=True)
class Stay:
    """One visit. `said` is what the next page says once: a message id of the catalogue."""

    address: str
    seen_at: datetime
    subject: Subject | None = field(default=None, repr=False)
    draft: Draft = Draft()
    slip: Slip | None = field(default=None, repr=False)
    short_code: SessionCode | None = field(default=None, repr=False)
    unsent: Question | None = field(default=None, repr=False)
    said: str | None = None
    settling: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    """Held while a choice is written down: a form that was sent twice is written down once."""


class Stays:
    """All stays, by the hash of their keys. Any thread may ask."""

    def __init__(
        self, *, forget_after: timedelta, make_key: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    ) -> None:
        self._forget_after = forget_after
        self._make_key = make_key
        self._stays: dict[bytes, Stay] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stays)

    def find(self, key: str, *, at: datetime) -> Stay | None:
        """The stay of `key`, kept alive by being asked for; None where there is none, or it has been silent too long."""
        place = _place(key)
        with self._lock:
            stay = self._stays.get(place)
            if stay is None:
                return None
            if at - stay.seen_at > self._forget_after:
                del self._stays[place]
                return None
            stay.seen_at = at
            self._stays[place] = self._stays.pop(place)
            return stay

    def open(self, *, address: str, at: datetime, key: str | None = None) -> tuple[str, Stay]:
        """A new stay and its key. Only a link that has just been verified may bring its own `key`."""
        key = key or self._make_key()
        with self._lock:
            self._make_room(address, at=at)
            stay = self._stays[_place(key)] = Stay(address, at)
        return key, stay

    def rekey(self, key: str) -> str:
        """Move a stay to a new key; the old one means nothing from here on."""
        fresh = self._make_key()
        with self._lock:
            stay = self._stays.pop(_place(key), None)
            if stay is not None:
                self._stays[_place(fresh)] = stay
        return fresh

    def end(self, key: str) -> None:
        """Forget a stay."""
        with self._lock:
            self._stays.pop(_place(key), None)

    def _make_room(self, address: str, *, at: datetime) -> None:
        """Drop what is over; then, of the address that has too many, or of all, the one longest silent."""
        if len(self._stays) < _MOST_OF_ONE_ADDRESS:
            return
        over = [place for place, stay in self._stays.items() if at - stay.seen_at > self._forget_after]
        for place in over:
            del self._stays[place]
        if Counter(stay.address for stay in self._stays.values())[address] >= _MOST_OF_ONE_ADDRESS:
            del self._stays[next(place for place, stay in self._stays.items() if stay.address == address)]
        elif len(self._stays) >= _MOST_STAYS:
            del self._stays[next(iter(self._stays))]


def _place(key: str) -> bytes:
    """Where a stay lies: finding it by hash tells nothing of the key by how long it takes."""
    return sha256(key.encode()).digest()
