"""The figures are what the gateway wrote, on the shop's own day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.clock import epoch_s
from edge.facts import Crossing, Direction, MoodGiven, SaleMade, ZoneEntered
from edge.messages import Device
from edge.settings import Settings
from edge.storage.store import PendingCell, Store
from edge.web.counts import store_day
from edge.web.figures import CurrencySales, DeadLetters, EntranceFlow, NoticeLapse, ZoneCount
from edge.web.footfall import CHART_WINDOWS
from edge.web.reading import read_today
from edge.windows import Metric, fold

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)


def crossings(count: int, direction: Direction, *, at: datetime = NOON, camera: str = "east") -> list[Crossing]:
    return [Crossing(at, camera, "door", direction)] * count


def test_visitors_by_line(settings: Settings, remember: Callable[..., None]) -> None:
    """Every line has its own count, quiet lines too, and the totals are their sums."""
    remember([*crossings(5, "in"), *crossings(2, "out"), *crossings(3, "in", camera="balcony")])
    footfall = read_today(settings, at=NOON).footfall
    assert footfall.entrances == (
        EntranceFlow("door", ("east",), 5, 2),
        EntranceFlow("door", ("west",), 0, 0),
        EntranceFlow("door", ("balcony",), 3, 0),
    )
    assert (footfall.entered, footfall.left, footfall.occupancy) == (8, 2, 6)


def test_occupancy_is_never_negative(settings: Settings, remember: Callable[..., None]) -> None:
    """More people seen leaving than coming leaves nobody inside, not minus two."""
    remember([*crossings(1, "in"), *crossings(3, "out")])
    assert read_today(settings, at=NOON).footfall.occupancy == 0


def test_released_counts_still_count(settings: Settings, store: Store, remember: Callable[..., None]) -> None:
    """A count that has left the shop, and what came late for the same window, are both in today's total."""
    remember(crossings(7, "in"))
    cell = PendingCell(epoch_s(NOON), Metric.VISITS, "east/door", "in", 7)
    with store.transaction() as tx:
        tx.record_release(
            cell, end_s=epoch_s(NOON) + 60, day="2025-06-03", outcome="released", epsilon=1.0, k=5, at=NOON
        )
    remember(crossings(2, "in"))
    footfall = read_today(settings, at=NOON).footfall
    assert footfall.entered == 9
    assert footfall.windows[-1].entered == 9


@pytest.mark.parametrize(
    ("timezone", "counted"),
    [("UTC", 1), ("Asia/Shanghai", 3), ("America/Los_Angeles", 7)],
)
def test_the_day_begins_at_the_shops_midnight(
    make_settings: Callable[..., Settings], remember: Callable[..., None], timezone: str, counted: int
) -> None:
    """The same facts are today's or yesterday's by the shop's time zone."""
    remember(crossings(4, "in", at=datetime(2025, 6, 2, 8, 0, tzinfo=UTC)))
    remember(crossings(2, "in", at=datetime(2025, 6, 2, 16, 0, tzinfo=UTC)))  # midnight in Shanghai
    remember(crossings(1, "in", at=datetime(2025, 6, 3, 0, 0, tzinfo=UTC)))
    settings = make_settings(store={"id": "linden", "timezone": timezone})
    assert read_today(settings, at=datetime(2025, 6, 3, 1, 0, tzinfo=UTC)).footfall.entered == counted


def test_a_day_ends_where_the_next_begins(settings: Settings, remember: Callable[..., None]) -> None:
    """The last minute before midnight is today's, the first after it is not."""
    remember(crossings(1, "in", at=datetime(2025, 6, 3, 23, 59, 59, tzinfo=UTC)))
    remember(crossings(1, "in", at=datetime(2025, 6, 4, 0, 0, tzinfo=UTC)))
    assert read_today(settings, at=NOON).footfall.entered == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25), (date(2025, 6, 3), 24)])
def test_days_of_23_and_25_hours(day: date, hours: int) -> None:
    """Where clocks change, the day is as long as it is on the wall."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    found = store_day(noon, timezone="Europe/Berlin")
    assert (found.day, found.end_s - found.start_s) == (day, hours * 3600)


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    timezone=st.sampled_from(["UTC", "Africa/Cairo", "Asia/Kathmandu", "America/Havana", "Australia/Lord_Howe"]),
)
def test_every_moment_is_in_its_own_day(moment: datetime, timezone: str) -> None:
    """A moment lies within the day it is said to be in, even where clocks change at midnight."""
    day = store_day(moment, timezone=timezone)
    assert day.start_s <= epoch_s(moment) < day.end_s


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    walks=st.lists(
        st.tuples(st.integers(-2 * 86400, 86400), st.sampled_from(["in", "out"]), st.sampled_from(["east", "west"])),
        max_size=60,
    )
)
def test_nobody_is_lost_or_counted_twice(walks: list[tuple[int, str, str]]) -> None:
    """Whatever happened when, today's totals are exactly the crossings of today's date."""
    with TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {"store": {"id": "linden", "timezone": "Asia/Shanghai"}, "state": Path(folder)}
        )
        facts = [Crossing(NOON + timedelta(seconds=s), camera, "door", way) for s, way, camera in walks]  # type: ignore[arg-type]
        store = Store(settings.store_db)
        with store.transaction() as tx:
            tx.add(fold(facts, length_s=settings.windows.local_s))
        store.close()
        zone = ZoneInfo("Asia/Shanghai")
        today = [fact for fact in facts if fact.occurred_at.astimezone(zone).date() == NOON.astimezone(zone).date()]
        footfall = read_today(settings, at=NOON).footfall
        assert footfall.entered == sum(fact.direction == "in" for fact in today)
        assert footfall.left == sum(fact.direction == "out" for fact in today)


def test_the_chart_has_every_window(settings: Settings, remember: Callable[..., None]) -> None:
    """The last sixty windows up to the present one, in order, with zeros where nobody passed."""
    remember(crossings(4, "in"))
    remember(crossings(3, "out", at=NOON - timedelta(minutes=59)))
    remember(crossings(9, "in", at=NOON - timedelta(minutes=60)))
    windows = read_today(settings, at=NOON + timedelta(seconds=30)).footfall.windows
    assert [window.start_s for window in windows] == [
        epoch_s(NOON) - 60 * ago for ago in reversed(range(CHART_WINDOWS))
    ]
    assert (windows[0].left, windows[0].entered, windows[-1].entered) == (3, 0, 4)
    assert sum(window.entered + window.left for window in windows) == 7


def test_zones_sales_and_mood(settings: Settings, remember: Callable[..., None]) -> None:
    """Zone entries, sales by currency net of what came back, and mood by level."""
    remember(
        [
            *[ZoneEntered(NOON, "entrance")] * 6,
            SaleMade(NOON, "till-1", "sale", "EUR", 3, 4000, 639),
            SaleMade(NOON, "till-2", "sale", "EUR", 1, 500, 80),
            SaleMade(NOON, "till-1", "return", "EUR", -1, -1000, -160),
            SaleMade(NOON, "till-1", "sale", "CNY", 1, 9900, 0),
            *[MoodGiven(NOON, "kiosk-1", 5)] * 3,
            MoodGiven(NOON, "kiosk-2", 1),
        ]
    )
    today = read_today(settings, at=NOON)
    assert today.zones == (ZoneCount("entrance", "Entrance", 6),)
    assert today.sales == (
        CurrencySales("EUR", sales=2, returns=1, voids=0, units=3, total_minor=3500, tax_minor=559),
        CurrencySales("CNY", sales=1, returns=0, voids=0, units=1, total_minor=9900, tax_minor=0),
    )
    assert today.mood == (1, 0, 0, 0, 3)


def test_devices_in_need_come_first(settings: Settings, store: Store) -> None:
    """Offline before never seen before online; a device nobody set up is listed too."""
    with store.transaction() as tx:
        tx.device_seen(Device("camera", "west"), at=NOON, state="offline", firmware="2.1")
        tx.device_seen(Device("pos", "till-1"), at=NOON)
        tx.device_seen(Device("kiosk", "unplanned"), at=NOON)
    devices = read_today(settings, at=NOON).devices
    assert [(device.kind, device.id, device.state) for device in devices] == [
        ("camera", "west", "offline"),
        ("camera", "east", "never"),
        ("kiosk", "unplanned", "online"),
        ("pos", "till-1", "online"),
    ]
    assert (devices[0].firmware, devices[0].last_seen_s, devices[0].zone) == ("2.1", epoch_s(NOON), "Entrance")
    assert (devices[1].last_seen_s, devices[2].zone) == (None, "")


def test_people_in_view_are_forgotten(settings: Settings, store: Store) -> None:
    """What a camera last saw is shown for half a minute, not for ever."""
    with store.transaction() as tx:
        tx.gauge("people_visible/east", 3, at=NOON)
    visible = [read_today(settings, at=NOON + timedelta(seconds=s)).devices[0].people_visible for s in (30, 31)]
    assert visible == [3, None]


def test_work_and_dead_letters(settings: Settings, store: Store) -> None:
    """Counters and gauges as written; only today's refused messages, by reason."""
    with store.transaction() as tx:
        tx.count("frames", 120)
        tx.count("frames_dropped", 4)
        tx.count("frames_still", 30)
        tx.count("messages", 9)
        tx.gauge("latency_p50_ms", 12.5, at=NOON)
        tx.gauge("latency_p99_ms", 80.0, at=NOON)
        for reason, at in (("size", NOON), ("size", NOON), ("json", NOON), ("json", NOON - timedelta(days=1))):
            tx.dead_letter(at=at, reason=reason, topic="t", size=1, sha256="0" * 64)
    today = read_today(settings, at=NOON)
    assert (today.work.frames, today.work.frames_still, today.work.frames_dropped) == (120, 30, 4)
    assert today.work.messages == 9
    assert (today.work.latency_p50_ms, today.work.latency_p99_ms) == (12.5, 80.0)
    assert today.work.last_written_s == NOON.timestamp()
    assert today.dead_letters == (DeadLetters("size", 2), DeadLetters("json", 1))


@pytest.mark.parametrize(
    ("attested_on", "lapsed"), [("2025-05-04", False), ("2025-05-03", True), ("2025-06-04", True), (None, True)]
)
def test_lapsed_notices(make_settings: Callable[..., Settings], attested_on: str | None, lapsed: bool) -> None:
    """A zone with cameras is named when its notice was never attested, too long ago, or for a later day."""
    zone = {"id": "entrance", "name": "Entrance", "notice_attested_on": attested_on}
    settings = make_settings(zones=[zone, {"id": "stockroom"}])
    day = date.fromisoformat(attested_on) if attested_on else None
    expected = (NoticeLapse("entrance", "Entrance", day, ("east", "west")),) if lapsed else ()
    assert read_today(settings, at=NOON).notice_lapses == expected
