"""Areas, queues, windows, paths and heat: what the floor's figures say, and what they keep to themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.facts import (
    AreaVisited,
    CameIn,
    Fact,
    HeatSeen,
    HeatTime,
    PassedBy,
    PathTaken,
    QueueStood,
    QueueWaited,
    StayEnded,
)
from edge.settings import Settings
from edge.storage.store import Store
from edge.web.figures import HeatCell, PathUse
from edge.web.language import Speech
from edge.web.presenter import present
from edge.web.reading import read_today
from edge.windows import DURATIONS, fold

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
CAMERA: dict[str, Any] = {
    "id": "east",
    "zone": "entrance",
    "heat": {"columns": 4, "rows": 3},
    "areas": [
        {"name": name, "kind": kind, "polygon": [[0, 0], [1, 0], [1, 1]]}
        for name, kind in (
            ("shoes", "area"), ("hats", "area"), ("queue", "queue"), ("window", "window"), ("counter", "staff")
        )
    ],
}  # fmt: skip
Remember = Callable[[Iterable[Fact]], None]


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(cameras=[CAMERA])


@pytest.fixture
def sees(store: Store) -> Callable[[int], None]:
    """Have the camera see so many people at noon."""

    def sees(people: int) -> None:
        with store.transaction() as tx:
            tx.gauge("people_visible/east", people, at=NOON)

    return sees


def stays(area: str, seconds: Iterable[float], *, at: datetime = NOON) -> list[Fact]:
    return [fact for s in seconds for fact in (AreaVisited(at, "east", area), StayEnded(at, "east", area, s))]


def test_an_area_in_use(settings: Settings, remember: Remember, sees: Callable[[int], None]) -> None:
    """Visits, who is there now, and the span that holds the median stay."""
    sees(9)
    remember([*stays("shoes", [4, 20, 20, 40, 200]), *[AreaVisited(NOON, "east", "shoes")] * 2])
    shoes, hats = read_today(settings, at=NOON).floor.areas
    assert (shoes.visits, shoes.present, shoes.typical_stay) == (7, 2, "15-30")
    assert (hats.visits, hats.present, hats.typical_stay) == (0, 0, None)


def test_staff_areas_are_not_listed(settings: Settings, remember: Remember) -> None:
    """Where those who work here stand is nobody's figure."""
    remember([AreaVisited(NOON, "east", "counter")])
    floor = read_today(settings, at=NOON).floor
    assert [use.area for use in (*floor.areas, *floor.queues, *floor.windows)] == ["shoes", "hats", "queue", "window"]
    assert "counter" not in {outline.name for outline in floor.heat[0].outlines}


def test_a_lost_goodbye_does_not_last(settings: Settings, remember: Remember, sees: Callable[[int], None]) -> None:
    """No more are in an area than its camera sees; while the camera is silent nobody knows."""
    remember([AreaVisited(NOON, "east", "shoes")] * 6)
    assert read_today(settings, at=NOON).floor.areas[0].present is None
    sees(1)
    assert read_today(settings, at=NOON).floor.areas[0].present == 1


def test_who_left_yesterday_is_not_here(settings: Settings, remember: Remember, sees: Callable[[int], None]) -> None:
    """An area is empty when the shop was: at midnight, or at closing time."""
    sees(5)
    remember([AreaVisited(NOON - timedelta(days=1), "east", "shoes")] * 3)
    assert read_today(settings, at=NOON).floor.areas[0].present == 0


def test_a_queue_now(settings: Settings, remember: Remember) -> None:
    """Its length is the mean of the last while, its longest what lasted long enough to be a queue."""
    remember([QueueStood(NOON - timedelta(minutes=30), "east", "queue", 9, 60_000)])
    remember([QueueStood(NOON - timedelta(minutes=30), "east", "queue", 12, 1_000)])
    remember([QueueStood(NOON, "east", "queue", people, 10_000) for people in (2, 3, 3)])
    remember([*[AreaVisited(NOON, "east", "queue")] * 5, *[QueueWaited(NOON, "east", "queue", 45)] * 5])
    (queue,) = read_today(settings, at=NOON + timedelta(seconds=50)).floor.queues
    assert (queue.waiting, queue.longest, queue.joined, queue.typical_wait) == (3, 9, 5, "30-60")


def test_an_empty_queue_is_not_an_unseen_one(settings: Settings, remember: Remember) -> None:
    """Nobody waiting is zero; nobody looking is a dash, here and in the sum of all queues."""
    remember([QueueStood(NOON, "east", "queue", 0, 30_000)])
    here, later = (present(read_today(settings, at=NOON + timedelta(minutes=m)), say=Speech("en")) for m in (1, 30))
    assert (here.floor.queues[0].waiting, here.waiting.figure, here.waiting.detail) == ("0", "0", "queue")
    assert (later.floor.queues[0].waiting, later.waiting.figure) == ("–", "–")
    assert later.waiting.detail == "No camera has shown a queue in the last minutes."


def test_a_window_that_has_only_just_begun_is_not_all(settings: Settings, remember: Remember) -> None:
    """A few seconds into a minute the one before it still speaks for the queue."""
    remember([QueueStood(NOON - timedelta(minutes=1), "east", "queue", 4, 60_000)])
    remember([QueueStood(NOON, "east", "queue", 0, 5_000)])
    assert read_today(settings, at=NOON + timedelta(seconds=6)).floor.queues[0].waiting == 4


def test_capture(settings: Settings, remember: Remember) -> None:
    """Who passed the window and came in, with the rate once k have passed."""
    remember([*[PassedBy(NOON, "east", "window")] * 4, CameIn(NOON, "east", "window")])
    view = present(read_today(settings, at=NOON), say=Speech("en"))
    assert (view.capture.figure, view.capture.detail) == ("–", "Fewer than 5 have passed by so far")
    remember([*[PassedBy(NOON, "east", "window")] * 4, CameIn(NOON, "east", "window")])
    view = present(read_today(settings, at=NOON), say=Speech("en"))
    assert (view.capture.figure, view.capture.detail) == ("25%", "2 of 8 who passed the window came in")
    assert view.floor.windows[0].detail == "came in 2 (25%) · stopped 0"


def test_without_areas_the_page_says_how(make_settings: Callable[..., Settings], store: Store) -> None:
    """A shop that has drawn no areas reads what they are good for; figures that it cannot have are not there."""
    view = present(read_today(make_settings(), at=NOON), say=Speech("en"))
    assert "Draw areas in a camera's picture" in view.floor.no_areas
    assert (view.waiting.detail, view.capture.detail, view.floor.paths_why, view.floor.heat_why) == ("",) * 4


def test_paths_of_enough_people(settings: Settings, remember: Remember) -> None:
    """Paths that k have taken, most trodden first; one that leads through a staff area or out of the settings is not told."""
    remember([PathTaken(NOON, "east", "shoes", "hats")] * 5)
    remember([PathTaken(NOON, "east", "hats", "queue")] * 6)
    remember([PathTaken(NOON, "east", "queue", "shoes")] * 4)
    remember([PathTaken(NOON, "east", "shoes", "gone")] * 50)
    floor = read_today(settings, at=NOON).floor
    assert floor.paths == (PathUse("east", "hats", "queue", 6), PathUse("east", "shoes", "hats", 5))


def test_heat_in_steps(settings: Settings, remember: Remember) -> None:
    """A cell shows once k have lingered in it, in one of four steps of the warmest; other cells are left out."""
    for column, people in ((0, 20), (1, 11), (2, 5), (3, 4)):
        remember([HeatSeen(NOON, "east", column, 1)] * people)
    remember([HeatSeen(NOON, "east", 7, 1)] * 40)  # from when the grid was finer
    remember([HeatTime(NOON, "east", 0, 1, 3_600_000)])
    (heat,) = read_today(settings, at=NOON).floor.heat
    assert heat.cells == (HeatCell(0, 1, 4), HeatCell(1, 1, 3), HeatCell(2, 1, 1))
    assert heat.spent_s == 3600
    (row,) = present(read_today(settings, at=NOON), say=Speech("en")).floor.heat
    assert row.summary == "Most linger on the left. All together spent 60 min in view."
    assert row.level_4 == "M0 30h40v30h-40z"
    assert row.level_2 == ""


def test_one_who_waits_an_hour_warms_nothing(settings: Settings, remember: Remember) -> None:
    """Time alone is never shown: below k people there is no cell, and no sum of their time either."""
    remember([HeatTime(NOON, "east", 0, 1, 3_600_000), *[HeatSeen(NOON, "east", 0, 1)] * 4])
    (heat,) = read_today(settings, at=NOON).floor.heat
    assert (heat.cells, heat.spent_s) == ((), None)
    (row,) = present(read_today(settings, at=NOON), say=Speech("en")).floor.heat
    assert row.summary == "Fewer than 5 people have lingered in any one spot so far."


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    path=st.integers(0, 8),
    stay=st.lists(st.sampled_from([3.0, 9.0, 20.0, 45.0, 100.0, 500.0]), max_size=8),
    warm=st.integers(0, 8),
    k=st.integers(1, 6),
)
def test_behaviour_of_few_is_nowhere(path: int, stay: list[float], warm: int, k: int) -> None:
    """Of fewer than k there is no path, no typical stay and no warm cell in all that the API answers; of k there is."""
    with TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {
                "store": {"id": "linden"},
                "state": Path(folder),
                "privacy": {"k": k},
                "zones": [{"id": "entrance"}],
                "cameras": [CAMERA],
            }
        )
        store = Store(settings.store_db)
        facts = [*[PathTaken(NOON, "east", "shoes", "hats")] * path, *stays("shoes", stay)]
        with store.transaction() as tx:
            tx.add(fold([*facts, *[HeatSeen(NOON, "east", 1, 1)] * warm], length_s=60))
        store.close()
        today = read_today(settings, at=NOON)
    floor = json.loads(json.dumps(asdict(today)["floor"]))
    assert bool(floor["paths"]) is (path >= k)
    assert (floor["areas"][0]["typical_stay"] is not None) is (len(stay) >= k)
    assert bool(floor["heat"][0]["cells"]) is (warm >= k)
    assert floor["areas"][0]["typical_stay"] in {None, *DURATIONS}
