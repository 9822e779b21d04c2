"""What the dashboard knows of one store day: plain numbers, no words and no shapes. `edge.web.reading` computes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

__all__ = [
    "CAMERA_KINDS",
    "MOOD_LEVELS",
    "AreaUse",
    "Budget",
    "CameraPictures",
    "ClosingDrift",
    "CurrencySales",
    "DeadLetters",
    "DeviceSeen",
    "EntranceFlow",
    "Floor",
    "Footfall",
    "HeatCell",
    "HeatMap",
    "NoticeLapse",
    "OutboxState",
    "Outline",
    "PathUse",
    "QueueUse",
    "Record",
    "Releases",
    "Today",
    "WindowCount",
    "WindowUse",
    "Work",
    "ZoneCount",
]

MOOD_LEVELS = (1, 2, 3, 4, 5)
"""Mood buttons from worst to best."""

CAMERA_KINDS = frozenset({"camera", "frigate"})
"""Devices that see people: what Frigate tells of a camera is that camera's word."""

Record = Literal["absent", "unreadable", "ready"]
"""Whether a process's database is there and can be read."""


@dataclass(frozen=True, slots=True)
class EntranceFlow:
    """Crossings of one entrance today: of one line, or of all lines that share it, whichever camera told them.

    `name` is the entrance's or the line's; `cameras` are those that watch it.
    """

    name: str
    cameras: tuple[str, ...]
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class WindowCount:
    """Crossings of all lines in the span that began at `start_s` (seconds since 1970): a local window, or an hour."""

    start_s: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class ClosingDrift:
    """How many `people` the count still believed inside when the shop closed at `at`."""

    at: datetime
    people: int


@dataclass(frozen=True, slots=True)
class Footfall:
    """Visitors of today over all entrances.

    `occupancy` is who is inside now, reckoned since the shop was last empty. `hours` are the day's so far, `windows` the
    latest local windows; both oldest first, quiet ones included. `is_counted` is False in a shop where nothing counts:
    no line is set up and none has counted today. `in_company_percent` is the share of visitors who came in with
    somebody; None below k.
    """

    entered: int
    left: int
    occupancy: int
    empty_since: datetime
    closing_drift: ClosingDrift | None
    is_counted: bool
    entrances: tuple[EntranceFlow, ...]
    hours: tuple[WindowCount, ...]
    windows: tuple[WindowCount, ...]
    window_s: int
    in_company_percent: int | None


@dataclass(frozen=True, slots=True)
class AreaUse:
    """Visits of an area today, and people in it now (None while its camera is silent).

    `typical_stay` is the key among `edge.windows.DURATIONS` that holds the median; None below k.
    """

    camera: str
    area: str
    visits: int
    present: int | None
    typical_stay: str | None


@dataclass(frozen=True, slots=True)
class QueueUse:
    """A queue: its mean length lately (None while its camera is silent), the longest of today, and the median wait.

    `joined` is how many stood in it long enough to count.
    """

    camera: str
    area: str
    joined: int
    waiting: int | None
    longest: int | None
    typical_wait: str | None


@dataclass(frozen=True, slots=True)
class WindowUse:
    """A shop window today: who passed by, who of them came in, who stopped. The rate is None below k passers-by."""

    camera: str
    area: str
    passed_by: int
    came_in: int
    stopped: int
    captured_percent: int | None


@dataclass(frozen=True, slots=True)
class PathUse:
    """How many went from one area to the next today; k at least, or it is not told."""

    camera: str
    origin: str
    destination: str
    people: int


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell in which k people or more have lingered today; `level` is 1 (fewest) to 4."""

    column: int
    row: int
    level: int


@dataclass(frozen=True, slots=True)
class Outline:
    """Something drawn on a camera's picture, for orientation: an area, or an entrance's line; relative coordinates."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Where people linger in a camera's picture of `columns` by `rows` cells.

    Cells that fewer than k have warmed are left out, and without any other so is the time that all spent in view.
    """

    camera: str
    columns: int
    rows: int
    cells: tuple[HeatCell, ...]
    spent_s: int | None
    outlines: tuple[Outline, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """What happened between the doors today, as far as the shop has set it up to be counted; `k` is the release gate's."""

    k: int
    areas: tuple[AreaUse, ...]
    queues: tuple[QueueUse, ...]
    windows: tuple[WindowUse, ...]
    paths: tuple[PathUse, ...]
    heat: tuple[HeatMap, ...]


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
    """A device of the shop: heard of, or only named in `store.toml` (state `never`). `zone` is its zone's name.

    `complaints` is what ails a camera's picture, as far as the camera is there to be asked.
    """

    kind: str
    id: str
    zone: str
    state: Literal["online", "offline", "never"]
    firmware: str | None
    last_seen_s: int | None
    people_visible: int | None
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraPictures:
    """What became of a camera's pictures, per minute, lately: `analysed`, `spared` because nothing had moved, or `superseded`
    by a newer one before it was their turn."""

    camera: str
    received: int
    analysed: int
    spared: int
    superseded: int


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
    """Everything the dashboard shows, at one moment. `pictures` is None where the gateway has kept no account of them."""

    store: str
    store_name: str
    timezone: str
    at: datetime
    day: date
    record: Record
    footfall: Footfall
    floor: Floor
    zones: tuple[ZoneCount, ...]
    sales: tuple[CurrencySales, ...]
    mood: tuple[int, ...]
    devices: tuple[DeviceSeen, ...]
    pictures: tuple[CameraPictures, ...] | None
    outbox: OutboxState
    releases: Releases
    dead_letters: tuple[DeadLetters, ...]
    work: Work
    notice_lapses: tuple[NoticeLapse, ...]
