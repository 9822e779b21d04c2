"""What the domains say: anonymous facts. None of them names, or could be joined to, a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Crossing", "Direction", "Fact", "MoodGiven", "SaleMade", "SizeAsked", "ZoneEntered"]

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody's foot point went over a counting line."""

    occurred_at: datetime
    camera: str
    line: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class ZoneEntered:
    """A confirmed track appeared in the zone a camera watches."""

    occurred_at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class SaleMade:
    """One till transaction, in minor units of `currency` (ISO 4217); negative where goods came back."""

    occurred_at: datetime
    till: str
    kind: Literal["sale", "return", "void"]
    currency: str
    units: int
    total_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class MoodGiven:
    """A mood button pressed at a kiosk, 1 (worst) to 5 (best)."""

    occurred_at: datetime
    kiosk: str
    level: int


@dataclass(frozen=True, slots=True)
class SizeAsked:
    """A garment was asked for in a size; the body it was computed from is gone."""

    occurred_at: datetime
    garment: str
    size: str


Fact = Crossing | ZoneEntered | SaleMade | MoodGiven | SizeAsked
"""The closed union of everything that may be folded into a window."""
