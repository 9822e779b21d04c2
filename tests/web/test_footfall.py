"""Who came and went: by entrance, by hour, and how many are inside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import epoch_s
from edge.facts import Crossing, GroupEntered, StoreClosed
from edge.settings import Settings
from edge.storage.store import Store
from edge.web.figures import ClosingDrift, EntranceFlow, WindowCount
from edge.web.language import Speech
from edge.web.present_footfall import present_hours, shown_hours
from edge.web.presenter import present
from edge.web.reading import read_today

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
POINTS = [[0, 0.5], [1, 0.5]]


def crossings(
    count: int, direction: Any, *, at: datetime = NOON, camera: str = "east", line: str = "door"
) -> list[Crossing]:
    return [Crossing(at, camera, line, direction)] * count


def cameras(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": name, "zone": "entrance", "lines": list(lines)} for name in ("east", "west")]


def test_a_shared_entrance_is_one_row(make_settings: Callable[..., Settings], remember: Callable[..., None]) -> None:
    """Whichever camera told a crossing first, it is the entrance's; its cameras are named once."""
    line = {"name": "door", "points": POINTS, "entrance": "main"}
    settings = make_settings(cameras=cameras(line, line | {"name": "gap"}))
    remember([*crossings(5, "in"), *crossings(2, "in", camera="west", line="gap"), *crossings(1, "out", camera="west")])
    assert read_today(settings, at=NOON).footfall.entrances == (EntranceFlow("main", ("east", "west"), 7, 1),)


def test_staff_lines_are_no_entrances(make_settings: Callable[..., Settings], remember: Callable[..., None]) -> None:
    """A line that marks staff is not listed, not even with what it counted before it was made one."""
    staff = {"name": "goods-in", "points": [[0.5, 0], [0.5, 1]], "kind": "staff"}
    settings = make_settings(cameras=cameras({"name": "door", "points": POINTS}, staff))
    remember([*crossings(5, "in"), *crossings(3, "in", line="goods-in")])
    assert [entrance.name for entrance in read_today(settings, at=NOON).footfall.entrances] == ["door", "door"]


def test_the_shop_is_empty_at_closing_time(
    make_settings: Callable[..., Settings], remember: Callable[..., None]
) -> None:
    """People inside are reckoned from closing time, and what was believed then is told as its drift."""
    settings = make_settings(store={"id": "linden", "timezone": "UTC", "closes_at": "20:00"})
    closed = NOON.replace(hour=20) - timedelta(days=1)
    remember([*crossings(9, "in", at=closed - HOUR), *crossings(2, "out", at=closed - HOUR), StoreClosed(closed, 7)])
    remember([*crossings(4, "in"), *crossings(1, "out")])
    today = read_today(settings, at=NOON)
    assert (today.footfall.occupancy, today.footfall.entered) == (3, 4)
    assert today.footfall.closing_drift == ClosingDrift(closed, 7)
    view = present(today, say=Speech("en"))
    assert view.occupancy_detail == "By comings and goings since closing time, 20:00"
    assert "7 more had been counted in than out" in view.drift


def test_a_missed_visitor_is_set_right_at_once(settings: Settings, remember: Callable[..., None]) -> None:
    """Three leave an empty shop: nobody owes them, and the next who comes in is one."""
    remember([*crossings(3, "out", at=NOON - HOUR), *crossings(1, "in")])
    assert read_today(settings, at=NOON).footfall.occupancy == 1


def test_without_a_closing_time_there_is_no_drift(settings: Settings, remember: Callable[..., None]) -> None:
    """The day then begins at midnight, and the page says nothing of closing."""
    remember(crossings(1, "in"))
    view = present(read_today(settings, at=NOON), say=Speech("en"))
    assert (view.occupancy_detail, view.drift) == ("By comings and goings since midnight", "")


def test_hours_hold_the_whole_day(settings: Settings, remember: Callable[..., None]) -> None:
    """Every hour since midnight up to the present one, quiet ones too; together they are today's visitors."""
    for hour, count in ((0, 1), (9, 4), (12, 2)):
        remember(crossings(count, "in", at=NOON.replace(hour=hour)))
    remember(crossings(8, "in", at=NOON - timedelta(days=1)))
    footfall = read_today(settings, at=NOON + timedelta(minutes=59)).footfall
    assert [hour.entered for hour in footfall.hours] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 2]
    assert footfall.entered == 7


@pytest.mark.parametrize(("day", "hours"), [((2025, 3, 30), 23), ((2025, 10, 26), 25)])
def test_hours_of_a_day_when_clocks_change(
    make_settings: Callable[..., Settings], remember: Callable[..., None], day: tuple[int, int, int], hours: int
) -> None:
    """A day of 23 or 25 hours has as many bars, and none of its visitors is lost."""
    settings = make_settings(store={"id": "linden", "timezone": "Europe/Berlin"})
    last = datetime.combine(datetime(*day), time(23, 30), tzinfo=ZoneInfo("Europe/Berlin"))
    for ago in range(hours):
        remember(crossings(1, "in", at=last.astimezone(UTC) - ago * HOUR))
    footfall = read_today(settings, at=last.astimezone(UTC)).footfall
    assert [hour.entered for hour in footfall.hours] == [1] * hours


def test_the_days_first_minute(settings: Settings, store: Store) -> None:
    """At midnight all is zero, no share is divided by it, and the chart has its usual hours."""
    midnight = NOON.replace(hour=0) + timedelta(days=1, seconds=20)
    view = present(read_today(settings, at=midnight), say=Speech("en"))
    assert (view.visitors, view.occupancy) == ("0", "0")
    assert view.hours.bars == ()
    assert view.hours.summary == "Nobody has come or gone today."
    assert [tick.text for tick in view.hours.ticks if tick.text] == ["09:00", "12:00", "15:00", "18:00"]


def test_a_night_shop_has_its_hours(settings: Settings, remember: Callable[..., None]) -> None:
    """Somebody who comes at two in the night is on the chart."""
    remember(crossings(3, "in", at=NOON.replace(hour=2)))
    view = present_hours(read_today(settings, at=NOON), say=Speech("en"))
    assert (view.bars[0].time, view.bars[0].entered, len(view.ticks)) == ("02:00", "3", 18)
    assert view.summary == "Busiest hour so far: from 02:00, with 3 coming in."


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25))
def test_no_visitor_falls_off_the_chart(counts: list[tuple[int, int]]) -> None:
    """Whatever hour somebody comes or goes in, it is among those shown."""
    hours = [WindowCount(3600 * index, *pair) for index, pair in enumerate(counts)]
    first, last = shown_hours(hours)
    assert sum(hour.entered + hour.left for hour in hours[first:last]) == sum(sum(pair) for pair in counts)
    assert 0 <= first <= 8
    assert last >= 20


def test_company_is_told_of_enough_people_only(settings: Settings, remember: Callable[..., None]) -> None:
    """The share of those who came with somebody; nothing of fewer than k."""
    remember([GroupEntered(NOON, "east", "door", 2), GroupEntered(NOON, "east", "door", 1)])
    assert read_today(settings, at=NOON).footfall.in_company_percent is None
    remember([GroupEntered(NOON, "west", "door", 1)])
    assert read_today(settings, at=NOON).footfall.in_company_percent is None
    remember([GroupEntered(NOON, "west", "door", 6)])
    assert read_today(settings, at=NOON).footfall.in_company_percent == 75


@pytest.mark.parametrize("has_camera", [True, False])
def test_a_shop_that_counts_nobody_claims_nothing(
    make_settings: Callable[..., Settings], store: Store, has_camera: bool
) -> None:
    """Without a line, or a camera at all, there are dashes and what to do, not zero visitors and empty charts."""
    settings = make_settings(cameras=cameras() if has_camera else [])
    view = present(read_today(settings, at=NOON), say=Speech("en"))
    expected = "No counting line is set up" if has_camera else "No camera is set up"
    assert (view.visitors, view.occupancy, view.hours.caption, view.chart.caption) == ("–", "–", "", "")
    assert view.visitors_detail == view.no_entrances
    assert view.no_entrances.startswith(expected)


def test_a_line_that_went_from_the_settings_still_shows_its_day(
    make_settings: Callable[..., Settings], remember: Callable[..., None]
) -> None:
    """What was counted this morning is not forgotten when the camera is taken out at noon."""
    remember(crossings(4, "in"))
    footfall = read_today(make_settings(cameras=[]), at=NOON).footfall
    assert footfall.is_counted
    assert footfall.entrances == (EntranceFlow("door", ("east",), 4, 0),)
    assert epoch_s(footfall.empty_since) == epoch_s(NOON) - 12 * 3600
