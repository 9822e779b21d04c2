"""What the dashboard knows of one store day: plain numbers, no words and no shapes. `edge.web.reading` computes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

__all__ = [
    "MOOD_LEVELS",
    "Budget",
    "CurrencySales",
    "DeadLetters",
    "DeviceSeen",
    "Footfall",
    "LineCount",
    "NoticeLapse",
    "OutboxState",
    "Record",
    "Releases",
    "Today",
    "WindowCount",
    "Work",
    "ZoneCount",
]

MOOD_LEVELS = (1, 2, 3, 4, 5)
"""Mood buttons from worst to best."""

Record = Literal["absent", "unreadable", "ready"]
"""Whether a process's database is there and can be read."""


@dataclass(frozen=True, slots=True)
class LineCount:
    """Crossings of one camera's counting line today."""

    camera: str
    line: str
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class WindowCount:
    """Crossings of all lines in one local window, which began at `start_s` (seconds since 1970)."""

    start_s: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Footfall:
    """Visitors of today over all lines, and the latest windows, oldest first, quiet ones included."""

    entered: int
    left: int
    lines: tuple[LineCount, ...]
    windows: tuple[WindowCount, ...]
    window_s: int

    @property
    def occupancy(self) -> int:
        """People inside now: who came in today and has not gone out. Never below zero: a line may miss somebody."""
        return max(0, self.entered - self.left)


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """How often somebody appeared in a zone today."""

    zone: str
    name: str
    entries: int


@dataclass(frozen=True, slots=True)
class CurrencySales:
    """Today's till figures in one currency (ISO 4217); totals are net of what came back, in minor units."""

    currency: str
    sales: int
    returns: int
    voids: int
    units: int
    total_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device of the shop: heard of, or only named in `store.toml` (state `never`). `zone` is its zone's name."""

    kind: str
    id: str
    zone: str
    state: Literal["online", "offline", "never"]
    firmware: str | None
    last_seen_s: int | None
    people_visible: int | None


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits for HQ. `hours_left` is None while nobody can say; `space` then tells plenty from unknown.

    `refused` counts the events that HQ would not take; sync keeps them aside.
    """

    waiting: int
    oldest_s: int | None
    waiting_bytes: int
    limit_bytes: int
    space: Literal["plenty", "hours", "unknown"]
    hours_left: float | None
    refused: int
    hq_configured: bool
    sync: Record
    last_success_s: float | None
    last_attempt_s: float | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Budget:
    """Epsilon that today's releases of one metric have spent, and how much a day has."""

    metric: str
    spent: float
    limit: float


@dataclass(frozen=True, slots=True)
class Releases:
    """What the release gate let through and held back today."""

    released: int
    suppressed: int
    budgets: tuple[Budget, ...]
    k: int


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Messages refused today, by reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Work:
    """What the gateway has done since its database was made, and how fast it does it."""

    messages: int
    frames: int
    frames_dropped: int
    frames_still: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    last_written_s: float | None


@dataclass(frozen=True, slots=True)
class NoticeLapse:
    """A zone with cameras whose sign nobody has attested lately: counting is off there."""

    zone: str
    name: str
    attested_on: date | None
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """Everything the dashboard shows, at one moment."""

    store: str
    store_name: str
    timezone: str
    at: datetime
    day: date
    record: Record
    footfall: Footfall
    zones: tuple[ZoneCount, ...]
    sales: tuple[CurrencySales, ...]
    mood: tuple[int, ...]
    devices: tuple[DeviceSeen, ...]
    outbox: OutboxState
    releases: Releases
    dead_letters: tuple[DeadLetters, ...]
    work: Work
    notice_lapses: tuple[NoticeLapse, ...]
