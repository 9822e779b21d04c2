"""Today's figures as a shopper sees them: how many people, and where the signs hang. Nobody is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

__all__ = ["Figures", "SignShown", "TodayShown"]


@dataclass(frozen=True, slots=True)
class SignShown:
    """A zone with cameras. `counting` only while staff's attestation that its sign hangs is fresh (PIPL Art. 26)."""

    zone: str
    attested_on: date | None
    counting: bool


@dataclass(frozen=True, slots=True)
class TodayShown:
    """What was counted today, until `at`."""

    at: datetime
    entered: int
    inside: int
    cameras: int
    signs: tuple[SignShown, ...]


Figures = Callable[[], TodayShown | None]
"""Returns None where nothing has been counted yet, or the gateway's record cannot be read."""
