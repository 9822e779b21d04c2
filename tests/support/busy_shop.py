"""A shop with everything set up that can be counted, and a busy day of it, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from edge.facts import (
    AreaVisited,
    CameIn,
    Crossing,
    Fact,
    GroupEntered,
    HeatSeen,
    HeatTime,
    MoodGiven,
    PassedBy,
    PathTaken,
    QueueStood,
    QueueWaited,
    SaleMade,
    StayEnded,
    StoreClosed,
    ZoneEntered,
)
from edge.messages import Device
from edge.settings import Settings
from edge.storage.store import Store
from edge.windows import fold

__all__ = ["AFTERNOON", "busy_day", "busy_settings", "fill"]

AFTERNOON = datetime(2025, 6, 3, 15, 40, 20, tzinfo=UTC)
_OPENS = AFTERNOON.replace(hour=9, minute=0, second=0)
_BUSY = {9: 14, 10: 26, 11: 41, 12: 78, 13: 66, 14: 48, 15: 40}
"""Visitors by the hour."""


def _square(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def busy_settings(state: Path, **tables: Any) -> Settings:
    """Two doors, one of them watched by two cameras, with areas, queues, a window, heat and a staff door."""
    door = {"name": "door", "points": [[0.1, 0.8], [0.6, 0.8]], "entrance": "high-street"}
    shop: dict[str, Any] = {
        "store": {"id": "linden", "name": "Linden Arcade", "timezone": "UTC", "closes_at": "20:00"},
        "state": state,
        "hq": {"url": "https://hq.invalid"},
        "zones": [
            {"id": "entrance", "name": "Entrance", "kind": "entrance", "notice_attested_on": "2025-06-01"},
            {"id": "floor", "name": "Sales floor", "notice_attested_on": "2025-06-01"},
            {"id": "checkout", "name": "Checkout", "kind": "checkout", "notice_attested_on": "2025-06-01"},
        ],
        "entrances": [{"name": "high-street"}],
        "cameras": [
            {
                "id": "door-left",
                "zone": "entrance",
                "lines": [door, {"name": "goods-in", "points": [[0.8, 0.1], [0.8, 0.9]], "kind": "staff"}],
                "areas": [{"name": "pavement", "kind": "window", "polygon": _square(0, 0.8, 0.7, 1)}],
            },
            {"id": "door-right", "zone": "entrance", "lines": [door]},
            {
                "id": "car-park",
                "zone": "entrance",
                "lines": [{"name": "back-door", "points": [[0.0, 0.5], [1.0, 0.5]]}],
            },
            {
                "id": "ceiling",
                "zone": "floor",
                "heat": {},
                "areas": [
                    {"name": "shoes", "polygon": _square(0.05, 0.1, 0.35, 0.5)},
                    {"name": "new-arrivals", "polygon": _square(0.45, 0.15, 0.8, 0.45)},
                    {"name": "fitting-queue", "kind": "queue", "polygon": _square(0.6, 0.6, 0.95, 0.9)},
                    {"name": "counter", "kind": "staff", "polygon": _square(0.0, 0.8, 0.2, 1.0)},
                ],
            },
            {
                "id": "tills",
                "zone": "checkout",
                "areas": [{"name": "tills", "kind": "queue", "polygon": _square(0.2, 0.3, 0.9, 0.9)}],
            },
        ],
        "mirrors": [{"id": "mirror-1", "zone": "floor"}],
        "tills": [{"id": "till-1", "zone": "checkout"}, {"id": "till-2", "zone": "checkout"}],
        "kiosks": [{"id": "kiosk-1", "zone": "entrance"}],
    }
    return Settings.model_validate(shop | tables)


def busy_day() -> Iterator[Fact]:
    """What happened since the shop opened."""
    dice = Random(7)
    yield StoreClosed(_OPENS.replace(hour=20) - timedelta(days=1), 3)
    for hour, visitors in _BUSY.items():
        for _ in range(visitors):
            yield from _visit(_OPENS.replace(hour=hour) + timedelta(seconds=dice.uniform(0, 3599)), dice)
    for second in range(0, 120, 5):
        at = AFTERNOON - timedelta(seconds=second)
        yield QueueStood(at, "tills", "tills", 3 if second % 20 else 4, 5000)
        yield QueueStood(at, "ceiling", "fitting-queue", second // 70, 5000)


def _visit(at: datetime, dice: Random) -> Iterator[Fact]:
    camera, line = dice.choice(
        [("door-left", "door"), ("door-left", "door"), ("door-right", "door"), ("car-park", "back-door")]
    )
    for _ in range(4):
        yield PassedBy(at, "door-left", "pavement")
    yield CameIn(at, "door-left", "pavement")
    yield Crossing(at, camera, line, "in")
    yield ZoneEntered(at, "entrance")
    yield GroupEntered(at, camera, line, 1 if dice.random() < 0.7 else 2)
    yield from _round(at, dice)
    gone = at + timedelta(minutes=dice.uniform(4, 35))
    if gone < AFTERNOON:
        yield Crossing(gone, camera, line, "out")
    if dice.random() < 0.3:
        yield SaleMade(at, "till-1", "sale", "EUR", 2, dice.randrange(900, 12000), 0)
    if dice.random() < 0.15:
        yield MoodGiven(at, "kiosk-1", dice.choice([2, 3, 4, 4, 5, 5, 5]))


def _round(at: datetime, dice: Random) -> Iterator[Fact]:
    """Through the shop: shoes, new arrivals and the queues, as it pleases."""
    before = None
    for area in ("shoes", "new-arrivals", "fitting-queue"):
        if dice.random() < 0.4:
            continue
        yield AreaVisited(at, "ceiling", area)
        ended = QueueWaited if area == "fitting-queue" else StayEnded
        yield ended(at, "ceiling", area, dice.choice([8, 20, 40, 50, 90, 200]))
        if before:
            yield PathTaken(at, "ceiling", before, area)
        before = area
        for _ in range(4):
            column, row = int(dice.gauss(4 if area == "shoes" else 10, 1.6)), int(dice.gauss(3, 1.4))
            if 0 <= column < 16 and 0 <= row < 9:
                yield HeatSeen(at, "ceiling", column, row)
                yield HeatTime(at, "ceiling", column, row, 9000)
    if dice.random() < 0.4:
        yield AreaVisited(at, "tills", "tills")
        yield QueueWaited(at, "tills", "tills", dice.choice([20, 45, 70, 100]))


def fill(store: Store, settings: Settings, *, at: datetime = AFTERNOON) -> None:
    """Write the day, the devices and the gauges into `store`: one camera is offline, one does not see well."""
    with store.transaction() as tx:
        tx.add(fold((fact for fact in busy_day() if fact.occurred_at <= at), length_s=settings.windows.local_s))
        for camera in settings.cameras:
            is_away = camera.id == "car-park"
            seen = at - timedelta(minutes=34) if is_away else at
            tx.device_seen(
                Device("camera", camera.id), at=seen, state="offline" if is_away else "online", firmware="2.1"
            )
            tx.gauge(f"people_visible/{camera.id}", 2, at=seen)
            tx.gauge(f"camera_blurred/{camera.id}", float(camera.id == "ceiling"), at=seen)
            for fate, number in (("received", 300), ("analysed", 190), ("spared", 98), ("superseded", 12)):
                tx.gauge(f"frames_{fate}/{camera.id}", number, at=seen)
        for kind, device in (("pos", "till-1"), ("kiosk", "kiosk-1"), ("mirror", "mirror-1")):
            tx.device_seen(Device(kind, device), at=at)  # type: ignore[arg-type]
        tx.gauge("latency_p50_ms", 19, at=at)
        tx.gauge("latency_p99_ms", 240, at=at)
        tx.count("frames", 81_204)
        tx.count("frames_still", 40_310)
        tx.count("frames_dropped", 812)
        tx.count("messages", 5_230)
