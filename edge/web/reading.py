"""Reads a store day out of `store.db`, read-only and anew for each request.

The file may be missing or half-made; the figures then say so, and nothing here raises for it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from edge.clock import epoch_s
from edge.consent.gate import ConsentGate
from edge.settings import Settings
from edge.web.figures import (
    MOOD_LEVELS,
    CurrencySales,
    DeadLetters,
    DeviceSeen,
    Footfall,
    LineCount,
    NoticeLapse,
    Today,
    WindowCount,
    Work,
    ZoneCount,
)
from edge.web.leaving import read_outbox, read_releases
from edge.web.source import Source, open_source
from edge.windows import Metric, window_start_s

__all__ = ["CHART_WINDOWS", "StoreDay", "read_today", "store_day"]

CHART_WINDOWS = 60
"""How many local windows the chart shows, the present one included."""

_VISIBLE_FRESH_S = 30
_PlaceCounts = dict[tuple[str, str], int]
_Gauges = dict[str, tuple[float, float]]
_KIND_OF_TABLE = {"cameras": "camera", "mirrors": "mirror", "tills": "pos", "kiosks": "kiosk"}


@dataclass(frozen=True, slots=True)
class StoreDay:
    """A calendar day of the shop and the seconds [start_s, end_s) it spans; 23 or 25 hours where clocks change."""

    day: date
    start_s: int
    end_s: int


def store_day(at: datetime, *, timezone: str) -> StoreDay:
    """The shop's own day that holds `at`."""
    zone = ZoneInfo(timezone)
    day = at.astimezone(zone).date()
    start, end = (datetime.combine(midnight, time(), tzinfo=zone) for midnight in (day, day + timedelta(days=1)))
    return StoreDay(day, epoch_s(start), epoch_s(end))


def read_today(settings: Settings, *, at: datetime) -> Today:
    """Today's figures at `at`; zeros, and a `record` that says why, where the gateway has written nothing readable."""
    day = store_day(at, timezone=settings.store.timezone)
    with open_source(settings.store_db) as store, open_source(settings.sync_db) as sync:
        counts = _day_counts(store, day)
        gauges = {row["name"]: (row["value"], row["updated_s"]) for row in store.rows("SELECT * FROM gauges")}
        devices = tuple(_devices(settings, store, gauges=gauges, at=at))
        return Today(
            store=settings.store.id,
            store_name=settings.store.name or settings.store.id,
            timezone=settings.store.timezone,
            at=at.astimezone(ZoneInfo(settings.store.timezone)),
            day=day.day,
            footfall=_footfall(settings, store, counts, at=at),
            zones=tuple(_zones(settings, counts)),
            sales=tuple(_sales(counts)),
            mood=_mood(counts),
            devices=devices,
            outbox=read_outbox(settings, store=store, sync=sync, at=at),
            releases=read_releases(settings, store, day=day.day),
            dead_letters=tuple(_dead_letters(store, day)),
            work=_work(store, gauges=gauges, devices=devices),
            notice_lapses=tuple(_notice_lapses(settings, at=at)),
            record=store.record,  # last: a query that failed has said so by now
        )


def _day_counts(store: Source, day: StoreDay) -> dict[str, _PlaceCounts]:
    """Today's sums by metric and (place, key). A window belongs to the day in which it began."""
    counts: dict[str, _PlaceCounts] = defaultdict(dict)
    for row in store.rows(
        """SELECT metric, place, key, sum(value) AS value FROM windows WHERE start_s >= ? AND start_s < ?
           GROUP BY metric, place, key""",
        day.start_s,
        day.end_s,
    ):
        counts[row["metric"]][row["place"], row["key"]] = row["value"]
    return counts


def _footfall(settings: Settings, store: Source, counts: dict[str, _PlaceCounts], *, at: datetime) -> Footfall:
    visits = counts.get(Metric.VISITS, {})
    configured = [f"{camera.id}/{line.name}" for camera in settings.cameras for line in camera.lines]
    places = list(dict.fromkeys([*configured, *(place for place, _ in visits)]))
    lines = []
    for place in places:
        camera, _, line = place.partition("/")
        lines.append(LineCount(camera, line, visits.get((place, "in"), 0), visits.get((place, "out"), 0)))
    return Footfall(
        entered=sum(line.entered for line in lines),
        left=sum(line.left for line in lines),
        lines=tuple(lines),
        windows=tuple(_windows(store, length_s=settings.windows.local_s, at=at)),
        window_s=settings.windows.local_s,
    )


def _windows(store: Source, *, length_s: int, at: datetime) -> Iterator[WindowCount]:
    last_s = window_start_s(at, length_s=length_s)
    first_s = last_s - (CHART_WINDOWS - 1) * length_s
    found: dict[tuple[int, str], int] = {}
    for row in store.rows(
        """SELECT start_s, key, sum(value) AS value FROM windows WHERE metric = ? AND start_s BETWEEN ? AND ?
           GROUP BY start_s, key""",
        Metric.VISITS.value,
        first_s,
        last_s,
    ):
        found[row["start_s"], row["key"]] = row["value"]
    for start_s in range(first_s, last_s + 1, length_s):
        yield WindowCount(start_s, found.get((start_s, "in"), 0), found.get((start_s, "out"), 0))


def _zones(settings: Settings, counts: dict[str, _PlaceCounts]) -> Iterator[ZoneCount]:
    """Zones that a camera watches or watched today, busiest first."""
    names = _zone_names(settings)
    entries = Counter({camera.zone: 0 for camera in settings.cameras})
    for (zone, _), value in counts.get(Metric.ZONE_ENTRIES, {}).items():
        entries[zone] += value
    for zone, value in sorted(entries.items(), key=lambda item: (-item[1], item[0])):
        yield ZoneCount(zone, names.get(zone, zone), value)


def _zone_names(settings: Settings) -> dict[str, str]:
    return {zone.id: zone.name or zone.id for zone in settings.zones}


def _sales(counts: dict[str, _PlaceCounts]) -> Iterator[CurrencySales]:
    """Currencies over all tills, the one with most sales first."""
    figures: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, key), value in counts.get(Metric.SALES, {}).items():
        currency, _, figure = key.partition("/")
        figures[currency][figure] += value
    for currency, of in sorted(figures.items(), key=lambda item: (-item[1]["sales"], item[0])):
        yield CurrencySales(
            currency=currency,
            sales=of["sales"],
            returns=of["returns"],
            voids=of["voids"],
            units=of["units"],
            total_minor=of["total_minor"],
            tax_minor=of["tax_minor"],
        )


def _mood(counts: dict[str, _PlaceCounts]) -> tuple[int, ...]:
    given: Counter[str] = Counter()
    for (_, level), value in counts.get(Metric.MOOD, {}).items():
        given[level] += value
    return tuple(given[str(level)] for level in MOOD_LEVELS)


def _devices(settings: Settings, store: Source, *, gauges: _Gauges, at: datetime) -> Iterator[DeviceSeen]:
    """Every device heard of or expected, those that need a hand first."""
    rows = {(row["kind"], row["id"]): row for row in store.rows("SELECT * FROM devices")}
    names = _zone_names(settings)
    zones = {(_KIND_OF_TABLE[t], device.id): device.zone for t, group in settings.devices().items() for device in group}
    found = [
        DeviceSeen(
            kind=kind,
            id=device_id,
            zone=names.get(zones.get((kind, device_id), ""), ""),
            state="never" if row is None else "online" if row["state"] == "online" else "offline",
            firmware=row["firmware"] if row else None,
            last_seen_s=row["last_seen_s"] if row else None,
            people_visible=_visible(gauges, device_id, at=at) if kind == "camera" else None,
        )
        for kind, device_id in sorted({*zones, *rows})
        for row in [rows.get((kind, device_id))]
    ]
    yield from sorted(found, key=lambda device: ("offline", "never", "online").index(device.state))


def _visible(gauges: _Gauges, camera: str, *, at: datetime) -> int | None:
    """People a camera sees now; None once what it last saw is old."""
    value, updated_s = gauges.get(f"people_visible/{camera}", (0.0, 0.0))
    return int(value) if at.timestamp() - updated_s <= _VISIBLE_FRESH_S else None


def _dead_letters(store: Source, day: StoreDay) -> Iterator[DeadLetters]:
    for row in store.rows(
        """SELECT reason, count(*) AS n FROM dead_letters WHERE received_s >= ? AND received_s < ?
           GROUP BY reason ORDER BY n DESC, reason""",
        day.start_s,
        day.end_s,
    ):
        yield DeadLetters(row["reason"], row["n"])


def _work(store: Source, *, gauges: _Gauges, devices: tuple[DeviceSeen, ...]) -> Work:
    counters = {row["name"]: row["value"] for row in store.rows("SELECT name, value FROM counters")}
    seen = [device.last_seen_s for device in devices if device.last_seen_s is not None]
    return Work(
        messages=counters.get("messages", 0),
        frames=counters.get("frames", 0),
        frames_dropped=counters.get("frames_dropped", 0),
        frames_still=counters.get("frames_still", 0),
        latency_p50_ms=gauges.get("latency_p50_ms", (None, 0))[0],
        latency_p99_ms=gauges.get("latency_p99_ms", (None, 0))[0],
        last_written_s=max([*(updated_s for _, updated_s in gauges.values()), *seen], default=None),
    )


def _notice_lapses(settings: Settings, *, at: datetime) -> Iterator[NoticeLapse]:
    """The zones whose cameras the consent gate refuses; it is asked itself, so page and gateway cannot disagree."""
    gate = ConsentGate.of(settings)
    for zone in settings.zones:
        cameras = tuple(camera.id for camera in settings.cameras if camera.zone == zone.id)
        if cameras and not gate.ask("footfall", at=at, zone=zone.id).allowed:
            yield NoticeLapse(zone.id, zone.name or zone.id, zone.notice_attested_on, cameras)
