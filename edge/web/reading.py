"""Reads a store day out of `store.db`, read-only and anew for each request.

The file may be missing or half-made; the figures then say so, and nothing here raises for it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from edge.consent.gate import ConsentGate
from edge.settings import Settings
from edge.web.counts import PlaceCounts, StoreDay, day_counts, store_day
from edge.web.devices import Gauges, read_devices, read_pictures
from edge.web.figures import (
    CAMERA_KINDS,
    MOOD_LEVELS,
    CurrencySales,
    DeadLetters,
    DeviceSeen,
    NoticeLapse,
    Today,
    Work,
    ZoneCount,
)
from edge.web.floor import read_floor
from edge.web.footfall import read_footfall
from edge.web.leaving import read_outbox, read_releases
from edge.web.source import Source, open_source
from edge.windows import Metric

__all__ = ["read_today"]


def read_today(settings: Settings, *, at: datetime) -> Today:
    """Today's figures at `at`; zeros, and a `record` that says why, where the gateway has written nothing readable."""
    day = store_day(at, timezone=settings.store.timezone)
    with open_source(settings.store_db) as store, open_source(settings.sync_db) as sync:
        counts = day_counts(store, day)
        gauges = {row["name"]: (row["value"], row["updated_s"]) for row in store.rows("SELECT * FROM gauges")}
        devices = read_devices(settings, store, gauges=gauges, at=at)
        visible = {device.id: device.people_visible for device in devices if device.kind in CAMERA_KINDS}
        return Today(
            store=settings.store.id,
            store_name=settings.store.name or settings.store.id,
            timezone=settings.store.timezone,
            at=at.astimezone(ZoneInfo(settings.store.timezone)),
            day=day.day,
            footfall=read_footfall(settings, store, counts, day=day, at=at),
            floor=read_floor(settings, store, counts, at=at, visible=visible),
            zones=tuple(_zones(settings, counts)),
            sales=tuple(_sales(counts)),
            mood=_mood(counts),
            devices=devices,
            pictures=read_pictures(settings, gauges=gauges, at=at),
            outbox=read_outbox(settings, store=store, sync=sync, at=at),
            releases=read_releases(settings, store, day=day.day),
            dead_letters=tuple(_dead_letters(store, day)),
            work=_work(store, gauges=gauges, devices=devices),
            notice_lapses=tuple(_notice_lapses(settings, at=at)),
            record=store.record,  # last: a query that failed has said so by now
        )


def _zones(settings: Settings, counts: dict[str, PlaceCounts]) -> Iterator[ZoneCount]:
    """Zones that a camera watches or watched today, busiest first."""
    names = _zone_names(settings)
    entries = Counter({camera.zone: 0 for camera in settings.cameras})
    for (zone, _), value in counts.get(Metric.ZONE_ENTRIES, {}).items():
        entries[zone] += value
    for zone, value in sorted(entries.items(), key=lambda item: (-item[1], item[0])):
        yield ZoneCount(zone, names.get(zone, zone), value)


def _zone_names(settings: Settings) -> dict[str, str]:
    return {zone.id: zone.name or zone.id for zone in settings.zones}


def _sales(counts: dict[str, PlaceCounts]) -> Iterator[CurrencySales]:
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


def _mood(counts: dict[str, PlaceCounts]) -> tuple[int, ...]:
    given: Counter[str] = Counter()
    for (_, level), value in counts.get(Metric.MOOD, {}).items():
        given[level] += value
    return tuple(given[str(level)] for level in MOOD_LEVELS)


def _dead_letters(store: Source, day: StoreDay) -> Iterator[DeadLetters]:
    for row in store.rows(
        """SELECT reason, count(*) AS n FROM dead_letters WHERE received_s >= ? AND received_s < ?
           GROUP BY reason ORDER BY n DESC, reason""",
        day.start_s,
        day.end_s,
    ):
        yield DeadLetters(row["reason"], row["n"])


def _work(store: Source, *, gauges: Gauges, devices: tuple[DeviceSeen, ...]) -> Work:
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
