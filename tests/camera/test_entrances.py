"""Several lines and cameras at one entrance, staff, groups, and those who only pass by."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from tracked import Stage, camera, person, square, standing, straight

from edge.camera.merge import EntranceMerger
from edge.clock import from_epoch_s
from edge.facts import CameIn, Crossing, Fact, GroupEntered, PassedBy, ZoneEntered
from edge.settings import Settings

DOWN = straight((0.5, 0.1), (0.5, 0.9), seconds=4)
UP = DOWN[::-1]


def line(name: str, y: float, *, left: float = 0.0, right: float = 1.0, **more: object) -> dict:
    """A level line: downwards is in."""
    return {"name": name, "points": [(left, y), (right, y)], **more}


def ways(facts: list[Fact]) -> list[str]:
    return [fact.direction for fact in facts if isinstance(fact, Crossing)]


TWO_LINES = camera(lines=[line("outer", 0.4, entrance="main"), line("inner", 0.6, entrance="main")])


def test_two_lines_of_one_entrance_count_a_person_once() -> None:
    """Over the outer and the inner line is one crossing, each way."""
    stage = Stage(TWO_LINES)
    assert ways(stage.walk(DOWN)) == ["in"]
    assert ways(stage.walk(UP, first_id=2)) == ["out"]


def test_there_and_back_counts_both_ways_again_and_again() -> None:
    """A track counts once for each direction until it goes back."""
    stage = Stage(TWO_LINES)
    assert ways(stage.walk(DOWN + UP + DOWN + UP)) == ["in", "out", "in", "out"]


def test_turning_between_the_lines_is_in_and_out() -> None:
    """Who came over one line of the entrance was in, and left again; never nothing."""
    stage = Stage(TWO_LINES)
    half = straight((0.5, 0.1), (0.5, 0.5), seconds=2)
    assert ways(stage.walk(half + half[::-1])) == ["in", "out"]


def test_lines_side_by_side_are_one_entrance() -> None:
    """In by the left door, out by the right, in by the left: what one line would have counted."""
    doors = camera(lines=[line("l", 0.5, right=0.5, entrance="main"), line("r", 0.5, left=0.5, entrance="main")])
    walk = [*straight((0.2, 0.2), (0.2, 0.8), seconds=3), *straight((0.8, 0.8), (0.8, 0.2), seconds=3)]
    assert ways(Stage(doors).walk(walk + walk)) == ["in", "out", "in", "out"]


def test_lines_of_no_common_entrance_count_each_for_itself() -> None:
    """Without a shared entrance nothing changes."""
    assert ways(Stage(camera(lines=[line("a", 0.4), line("b", 0.6)])).walk(DOWN)) == ["in", "in"]


# Staff -----------------------------------------------------------------------------------------------------------------

COUNTER = square("counter", left=0.8, right=1.0, kind="staff")
WITH_COUNTER = camera(lines=[line("door", 0.5)], areas=[COUNTER])
BEHIND = [*straight((0.5, 0.9), (0.9, 0.9), seconds=2), *standing((0.9, 0.9), seconds=3)]


def test_a_clerk_who_comes_in_by_the_door_is_no_visitor() -> None:
    """Through the door and behind the counter: nothing was counted, so nothing has to be taken back."""
    stage = Stage(WITH_COUNTER)
    stage.walk(DOWN + BEHIND)
    stage.finish()
    assert not stage.facts


def test_a_clerk_who_goes_for_a_walk_stays_a_clerk() -> None:
    """From behind the counter out of the door and back, a minute later, on the same track: still nobody."""
    stage = Stage(WITH_COUNTER)
    stage.walk(BEHIND[::-1] + standing((0.5, 0.9), seconds=60) + UP + DOWN)
    stage.finish()
    assert not stage.facts


def test_a_visitor_counts_though_later() -> None:
    """Where staff can be told, a visitor's crossing waits ten seconds, and keeps the time when it happened."""
    stage = Stage(WITH_COUNTER)
    begin = stage.now_s
    for foot in DOWN:
        assert not stage.show([person(foot)])
    while not ways(stage.facts):
        stage.show([person((0.5, 0.9))])
    assert 10 <= stage.now_s - begin <= 15
    (crossing,) = stage.of(Crossing)
    assert crossing.occurred_at.timestamp() - begin == pytest.approx(2.4, abs=0.4)


def test_a_visitor_counts_at_once_when_the_track_ends() -> None:
    """Nobody waits for somebody who is gone."""
    stage = Stage(WITH_COUNTER)
    assert ways(stage.walk(DOWN)) == ["in"]


def test_a_visitors_foot_behind_the_counter_for_a_moment_makes_no_clerk() -> None:
    """Half a second there is a jitter of the box."""
    stage = Stage(WITH_COUNTER)
    stage.walk([*DOWN, (0.79, 0.9), (0.81, 0.9), (0.81, 0.9), (0.79, 0.9), (0.7, 0.9), (0.5, 0.9)])
    assert ways(stage.facts) == ["in"]


def test_who_is_found_out_too_late_has_counted() -> None:
    """A visitor of half a minute who then goes behind the counter was counted, and is not taken back."""
    stage = Stage(WITH_COUNTER)
    stage.walk(DOWN + standing((0.5, 0.9), seconds=30) + BEHIND)
    assert ways(stage.facts) == ["in"]


def test_the_staff_line_counts_nobody_and_makes_staff() -> None:
    """Who comes by the staff door and then leaves by the other is nobody."""
    doors = camera(lines=[line("door", 0.5), {"name": "back", "points": [(0.8, 0.0), (0.8, 1.0)], "kind": "staff"}])
    stage = Stage(doors)
    stage.walk([*straight((0.95, 0.9), (0.5, 0.9), seconds=3), *UP])
    stage.finish()
    assert not stage.facts


def test_staff_leave_no_trace_of_a_visit() -> None:
    """Shelf, queue, heat, window: a clerk is in none of them once known."""
    areas = [
        COUNTER,
        square("shelf", left=0.0, right=0.2),
        square("till", left=0.4, right=0.6, kind="queue"),
        square("window", left=0.2, right=0.4, kind="window"),
    ]
    stage = Stage(camera(areas=areas, heat={}))
    walk = standing((0.9, 0.5), seconds=2)
    for x in (0.5, 0.3, 0.1):
        walk = walk + standing((x, 0.5), seconds=20)
    for foot in walk:
        stage.show([person(foot)])
    stage.finish()
    assert {type(fact).__name__ for fact in stage.facts} <= {"QueueStood", "HeatTime"}
    assert not any(fact.people for fact in stage.facts if type(fact).__name__ == "QueueStood")


# Groups ----------------------------------------------------------------------------------------------------------------

DOOR = camera(lines=[line("door", 0.5)])


def down(x: float) -> list[tuple[float, float]]:
    return straight((x, 0.1), (x, 0.9), seconds=4)


def groups_of(*walks: list[tuple[float, float]], delays: dict[int, int] | None = None) -> list[int]:
    stage = Stage(DOOR)
    stage.walk(*walks, delays=delays)
    stage.finish()
    return sorted(fact.people for fact in stage.of(GroupEntered))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_people_side_by_side_are_one_group(size: int) -> None:
    """A width apart, at the same time: together."""
    assert groups_of(*(down(0.3 + 0.06 * i) for i in range(size))) == [size]


def test_one_behind_the_other_is_a_group() -> None:
    """A parent, and a child 0.8 s behind."""
    assert groups_of(down(0.5), down(0.51), delays={1: 4}) == [2]


def test_strangers_are_groups_of_one() -> None:
    """Three seconds apart, or at the other side of the door."""
    assert groups_of(down(0.5), down(0.5), delays={1: 15}) == [1, 1]
    assert groups_of(down(0.2), down(0.8)) == [1, 1]


def test_who_leaves_is_in_no_group() -> None:
    """Groups come in; somebody who goes out between them belongs to none."""
    assert groups_of(down(0.5), down(0.56)[::-1]) == [1]


def test_a_queue_through_the_door_is_not_one_endless_group() -> None:
    """A stream without a gap is cut after some seconds, and everybody is in exactly one group."""
    sizes = groups_of(*(down(0.5) for _ in range(20)), delays={i: 4 * i for i in range(20)})
    assert sum(sizes) == 20
    assert max(sizes) <= 6


def test_a_group_without_its_clerk() -> None:
    """Staff who open the door for somebody are no part of the group."""
    stage = Stage(WITH_COUNTER)
    stage.walk([*down(0.5), *BEHIND], down(0.56))
    stage.finish()
    assert [fact.people for fact in stage.of(GroupEntered)] == [1]


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0.1, 0.9)), min_size=1, max_size=8))
def test_everybody_is_in_one_group(walkers: list[tuple[int, float]]) -> None:
    """Group sizes add up to the crossings inwards, whoever comes when and where."""
    stage = Stage(DOOR)
    stage.walk(*(down(x) for _, x in walkers), delays={i: delay for i, (delay, _) in enumerate(walkers)})
    stage.finish()
    assert sum(fact.people for fact in stage.of(GroupEntered)) == ways(stage.facts).count("in") == len(walkers)


# Passing by ------------------------------------------------------------------------------------------------------------

STREET = camera(
    lines=[line("door", 0.6, left=0.4, right=0.6)],
    areas=[square("window", left=0.2, right=0.8, top=0.3, bottom=0.58, kind="window")],
)
BY = straight((0.0, 0.45), (1.0, 0.45), seconds=6)
INTO = [*straight((0.0, 0.45), (0.5, 0.45), seconds=3), *straight((0.5, 0.45), (0.5, 0.9), seconds=2)]


def test_capture_is_who_came_in_over_who_passed() -> None:
    """Three pass, one of them comes in."""
    stage = Stage(STREET)
    for number, walk in enumerate((BY, INTO, BY[::-1])):
        stage.walk(walk, first_id=10 * number)
    assert (len(stage.of(PassedBy)), len(stage.of(CameIn))) == (3, 1)


def test_who_comes_out_of_the_shop_does_not_pass_by() -> None:
    """Leaving is no passing, and coming back in at once is no capture."""
    stage = Stage(STREET)
    stage.walk(INTO[::-1] + INTO)
    assert not stage.of(PassedBy)
    assert not stage.of(CameIn)


def test_lingering_at_the_window_is_passing_once() -> None:
    """To and fro before the window and in at last: one passer-by, one who came in."""
    stage = Stage(STREET)
    stage.walk(BY + BY[::-1] + INTO)
    assert (len(stage.of(PassedBy)), len(stage.of(CameIn))) == (1, 1)


# Two cameras -----------------------------------------------------------------------------------------------------------

SHOP = Settings.model_validate(
    {
        "store": {"id": "s1"},
        "zones": [{"id": "hall"}],
        "entrances": [{"name": "main", "merge_within_s": 1.0}],
        "cameras": [
            {"id": "east", "zone": "hall", "lines": [line("a", 0.5, entrance="main"), line("side", 0.2)]},
            {"id": "west", "zone": "hall", "lines": [line("b", 0.5, entrance="main")]},
            {"id": "roof", "zone": "hall", "lines": [line("main", 0.5)]},
        ],
    }
)
LINES = {"east": "a", "west": "b"}


def seen(at_s: float, by: str, direction: str = "in") -> Crossing:
    return Crossing(from_epoch_s(1_000_000 + at_s), by, LINES.get(by, "main"), direction)  # type: ignore[arg-type]


def counted(*crossings: Crossing) -> int:
    merger = EntranceMerger.of(SHOP)
    return sum(len(merger.merge([crossing])) for crossing in crossings)


def test_what_two_cameras_see_at_once_counts_once() -> None:
    """The first to tell counts, at once; the other is dropped."""
    merger = EntranceMerger.of(SHOP)
    assert merger.merge([seen(0.0, "east")]) == (seen(0.0, "east"),)
    assert merger.merge([seen(0.7, "west")]) == ()
    assert merger.merge([seen(0.9, "west")]) == (seen(0.9, "west"),)


@pytest.mark.parametrize(
    ("crossings", "people"),
    [
        ([seen(0, "east"), seen(1.2, "west")], 2),
        ([seen(0, "east"), seen(0.1, "west", "out")], 2),
        ([seen(0, "east"), seen(0.1, "east")], 2),
        ([seen(0, "east"), seen(0.1, "roof")], 2),
        ([seen(0, "east"), seen(0.2, "east"), seen(0.3, "west"), seen(0.5, "west")], 2),
        ([seen(0, "east"), seen(0.3, "west"), seen(0.4, "west")], 2),
        ([seen(0.9, "west"), seen(0.0, "east")], 1),
    ],
)
def test_only_the_same_way_at_the_same_time_by_another_camera_is_the_same(crossings: list, people: int) -> None:
    """Too far apart, the other way, the same camera, another door: two people. A late report still finds its partner."""
    assert counted(*crossings) == people


def test_other_facts_and_lines_pass_untouched() -> None:
    """Only crossings of a shared entrance are merged."""
    side = Crossing(from_epoch_s(1_000_000), "east", "side", "in")
    others = (ZoneEntered(side.occurred_at, "hall"), side, side)
    assert EntranceMerger.of(SHOP).merge(others) == others


def test_the_first_camera_speaks_for_the_groups() -> None:
    """A group at a shared entrance counts once; another door of the same name is another door."""
    told = [GroupEntered(from_epoch_s(0), by, "main", 2) for by in ("east", "west", "roof")]
    assert [fact.camera for fact in EntranceMerger.of(SHOP).merge(told)] == ["east", "roof"]


def test_a_crossing_told_ten_seconds_late_is_still_recognised() -> None:
    """The staff sieve of one camera holds back what the other tells at once."""
    merger = EntranceMerger.of(SHOP)
    merger.merge([seen(0, "west")])
    assert merger.merge([seen(5, "west"), seen(11, "west")])
    assert not merger.merge([seen(0.4, "east")])


def test_what_is_remembered_is_bounded() -> None:
    """A hundred thousand crossings leave a few seconds' worth."""
    merger = EntranceMerger.of(SHOP)
    for number in range(100_000):
        merger.merge([seen(number / 2, "east")])
    assert len(merger._doors["main"].told) < 100


TIMES = st.lists(st.integers(0, 100), max_size=25).map(lambda tenths: sorted(t / 10 for t in tenths))


@given(TIMES, TIMES)
@example([0.0, 0.9], [0.8, 1.8])
def test_as_many_are_merged_as_can_be(east: list[float], west: list[float]) -> None:
    """People counted are those of both cameras less the largest matching within the time, which scipy finds."""
    merged = counted(*sorted([seen(t, "east") for t in east] + [seen(t, "west") for t in west], key=when))
    near = np.abs(np.subtract.outer(east, west)) <= 1.0 + 1e-6 if east and west else np.zeros((1, 1), bool)
    pairs = int((maximum_bipartite_matching(csr_array(near)) >= 0).sum())
    assert merged == len(east) + len(west) - pairs


def when(crossing: Crossing) -> timedelta:
    return crossing.occurred_at - from_epoch_s(0)
