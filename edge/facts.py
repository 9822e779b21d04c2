"""What the domains say: anonymous facts. None of them names, or could be joined to, a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = [
    "AreaVisited",
    "CameIn",
    "ConsentDecided",
    "Crossing",
    "Direction",
    "Fact",
    "FloorFact",
    "GroupEntered",
    "HeatSeen",
    "HeatTime",
    "MoodGiven",
    "PassedBy",
    "PathTaken",
    "QueueStood",
    "QueueWaited",
    "SaleMade",
    "SizeAsked",
    "StayEnded",
    "StoreClosed",
    "TenderKind",
    "ZoneEntered",
]

Direction = Literal["in", "out"]
TenderKind = Literal["card", "cash", "wechat_pay", "alipay", "unionpay_qr", "gift_card", "other"]


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
class AreaVisited:
    """Somebody has been in a camera's area for as long as a visit takes."""

    occurred_at: datetime
    camera: str
    area: str


@dataclass(frozen=True, slots=True)
class StayEnded:
    """A visit of an area is over; `occurred_at` is the last sight in it, `dwell_s` how long it lasted."""

    occurred_at: datetime
    camera: str
    area: str
    dwell_s: float


@dataclass(frozen=True, slots=True)
class QueueWaited:
    """Somebody left a queue, served or not, after `wait_s`."""

    occurred_at: datetime
    camera: str
    area: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class QueueStood:
    """For `duration_ms` a queue was `people` long. Mean, maximum and every quantile of the length follow from the sums."""

    occurred_at: datetime
    camera: str
    area: str
    people: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class PathTaken:
    """The same track visited `origin` and next `destination`."""

    occurred_at: datetime
    camera: str
    origin: str
    destination: str


@dataclass(frozen=True, slots=True)
class PassedBy:
    """Somebody who does not come out of the shop appeared in the area before its window."""

    occurred_at: datetime
    camera: str
    area: str


@dataclass(frozen=True, slots=True)
class CameIn:
    """Somebody who had passed by the window went in. Over passers-by this is the capture rate."""

    occurred_at: datetime
    camera: str
    area: str


@dataclass(frozen=True, slots=True)
class GroupEntered:
    """People who came in together, one of them being a group of one."""

    occurred_at: datetime
    camera: str
    line: str
    people: int


@dataclass(frozen=True, slots=True)
class HeatSeen:
    """A track lingered in a cell of its camera's heat grid; at most once in the track's life for each cell."""

    occurred_at: datetime
    camera: str
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class HeatTime:
    """Person-milliseconds spent in a cell of a camera's heat grid. Stays on the box."""

    occurred_at: datetime
    camera: str
    column: int
    row: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class StoreClosed:
    """At closing time the count believed `drift` people to be inside still; the shop was empty."""

    occurred_at: datetime
    drift: int


@dataclass(frozen=True, slots=True)
class SaleMade:
    """One till transaction, in minor units of `currency` (ISO 4217); negative where goods came back.

    `discount_minor` was taken off the price; `returned_*` is what came back, as a positive figure, in a return or within
    an exchange; `tenders` is what was paid in each way, below zero what was paid out.
    """

    occurred_at: datetime
    till: str
    kind: Literal["sale", "return", "void", "cancelled"]
    currency: str
    units: int
    total_minor: int
    tax_minor: int
    discount_minor: int = 0
    returned_units: int = 0
    returned_minor: int = 0
    tenders: tuple[tuple[TenderKind, int], ...] = ()


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


@dataclass(frozen=True, slots=True)
class ConsentDecided:
    """Somebody said yes or no to a purpose, or took a yes back. Who it was stays in the registry."""

    occurred_at: datetime
    purpose: str
    decision: Literal["granted", "refused", "withdrawn"]


FloorFact = (
    AreaVisited
    | StayEnded
    | QueueWaited
    | QueueStood
    | PathTaken
    | PassedBy
    | CameIn
    | GroupEntered
    | HeatSeen
    | HeatTime
)
"""What a camera's areas, paths, groups and heat grid say."""

Fact = Crossing | ZoneEntered | FloorFact | StoreClosed | SaleMade | MoodGiven | SizeAsked | ConsentDecided
"""The closed union of everything that may be folded into a window."""
