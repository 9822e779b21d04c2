"""Areas: when being there is a visit, how long it lasted, and where people go next."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracked import HEIGHT, WIDTH, Stage, camera, person, square, standing, straight

from edge.camera.polygon import Polygon
from edge.camera.stays import Stays
from edge.facts import AreaVisited, PathTaken, StayEnded, ZoneEntered

SHELF = square("shelf", left=0.4, right=0.6)


def test_a_visit_counts_once_its_time_is_reached() -> None:
    """Nothing at 2.8 s, one visit at 3 s, and no second one however long it goes on."""
    stage = Stage(camera(areas=[SHELF]))
    for _ in range(15):
        stage.show([person((0.5, 0.5))])
    assert not stage.of(AreaVisited)
    assert [type(fact) for fact in stage.show([person((0.5, 0.5))])] == [AreaVisited]
    for _ in range(500):
        stage.show([person((0.5, 0.5))])
    assert len(stage.of(AreaVisited)) == 1


def test_walking_through_is_no_visit() -> None:
    """Two seconds on the way are neither a visit nor a dwell."""
    stage = Stage(camera(areas=[SHELF]))
    stage.walk(straight((0.0, 0.5), (1.0, 0.5), seconds=10))
    stage.finish()
    assert [type(fact) for fact in stage.facts] == [ZoneEntered]


@pytest.mark.parametrize("fps", [2, 3, 5, 10, 15])
@pytest.mark.parametrize("dwell_s", [4, 8, 20, 45, 100, 400])
def test_the_dwell_is_the_time_in_the_area(fps: int, dwell_s: float) -> None:
    """From the first to the last sight inside, to a frame, at every frame rate."""
    stage = Stage(camera(areas=[SHELF]))
    feet = [
        *straight((0.2, 0.5), (0.38, 0.5), seconds=2, fps=fps),
        *standing((0.5, 0.5), seconds=dwell_s, fps=fps),
        *straight((0.62, 0.5), (0.9, 0.5), seconds=3, fps=fps),
    ]
    for foot in feet:
        stage.show([person(foot)], after_s=1 / fps)
    (ended,) = stage.of(StayEnded)
    assert ended.dwell_s == pytest.approx(dwell_s, abs=1 / fps + 0.01)
    assert len(stage.of(AreaVisited)) == 1


def test_a_visit_ends_at_the_last_sight() -> None:
    """A track that is lost and dropped was there until it was last seen, not until it was forgotten."""
    stage = Stage(camera(areas=[SHELF]))
    for _ in range(51):
        stage.show([person((0.5, 0.5))])
    seen_s = stage.now_s
    for miss in range(1, 8):
        stage.show([person((0.5, 0.5), missing_s=miss / 5)])
    stage.show([])
    (ended,) = stage.of(StayEnded)
    assert ended.dwell_s == pytest.approx(10)
    assert ended.occurred_at.timestamp() == pytest.approx(seen_s)


def test_a_short_loss_does_not_end_a_visit() -> None:
    """Hidden for a second and a half behind somebody: one visit, with the loss in it."""
    stage = Stage(camera(areas=[SHELF]))
    for frame in range(100):
        missing = frame % 20 > 12
        stage.show([person((0.9 if missing else 0.5, 0.5), missing_s=(frame % 20 - 12) / 5 if missing else 0.0)])
    stage.show([])
    (ended,) = stage.of(StayEnded)
    assert ended.dwell_s == pytest.approx(92 / 5, abs=0.21)


@pytest.mark.parametrize("seed", range(20))
def test_a_jittering_foot_is_one_visit(seed: int) -> None:
    """Somebody just inside the border whose foot point strays over it one frame in four stays one visit."""
    stage = Stage(camera(areas=[SHELF]))
    dice = random.Random(seed)
    for _ in range(150):
        stage.show([person((0.59 if dice.random() < 0.75 else 0.61, 0.5))])
    stage.show([])
    assert len(stage.of(AreaVisited)) == len(stage.of(StayEnded)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_standing_beside_an_area_is_no_visit(seed: int) -> None:
    """A foot point that strays into it one frame in ten is not there."""
    stage = Stage(camera(areas=[SHELF]))
    dice = random.Random(seed)
    for _ in range(300):
        stage.show([person((0.61 if dice.random() < 0.9 else 0.59, 0.5))])
    stage.show([])
    assert not stage.of(AreaVisited)


def test_who_is_not_confirmed_visits_nothing() -> None:
    """A false alarm on a shelf is no customer."""
    stage = Stage(camera(areas=[SHELF]))
    for _ in range(100):
        stage.show([person((0.5, 0.5), confirmed=False)])
    assert not stage.show([])


def test_an_area_that_reaches_the_edge_holds_who_is_cut_by_it() -> None:
    """The foot of a cut person lies below the picture, and still before the shelf."""
    stage = Stage(camera(areas=[SHELF]))
    for _ in range(20):
        stage.show([person((0.5, 1.3))])
    assert len(stage.of(AreaVisited)) == 1


def test_overlapping_areas_count_each_for_itself() -> None:
    """Who stands where two areas overlap visits both."""
    stage = Stage(camera(areas=[SHELF, square("aisle", left=0.0, right=1.0)]))
    stage.walk(standing((0.5, 0.5), seconds=5))
    assert {fact.area for fact in stage.of(AreaVisited)} == {"shelf", "aisle"}


def test_a_visit_time_of_ones_own() -> None:
    """`visit_after_s` says what a visit is."""
    stage = Stage(camera(areas=[{**SHELF, "visit_after_s": 10}]))
    stage.walk(standing((0.5, 0.5), seconds=9))
    assert not stage.of(AreaVisited)
    stage.walk(standing((0.5, 0.5), seconds=11), first_id=2)
    assert len(stage.of(AreaVisited)) == 1


def test_paths_lead_from_visit_to_visit() -> None:
    """a, through b without stopping, to c, back to a: two steps, and none for coming back to where one was."""
    areas = [square("a", left=0.0, right=0.2), square("b", left=0.4, right=0.6), square("c", left=0.8, right=1.0)]
    stage = Stage(camera(areas=areas))
    walk = [
        *standing((0.1, 0.5), seconds=4),
        *straight((0.1, 0.5), (0.9, 0.5), seconds=6),
        *standing((0.9, 0.5), seconds=4),
        *straight((0.9, 0.5), (0.7, 0.5), seconds=3),
        *standing((0.7, 0.5), seconds=2),
        *standing((0.9, 0.5), seconds=4),
        *straight((0.9, 0.5), (0.1, 0.5), seconds=6),
        *standing((0.1, 0.5), seconds=4),
    ]
    stage.walk(walk)
    assert [(fact.origin, fact.destination) for fact in stage.of(PathTaken)] == [("a", "c"), ("c", "a")]
    assert [fact.area for fact in stage.of(AreaVisited)] == ["a", "c", "c", "a"]


def test_a_path_ends_with_its_track() -> None:
    """Two people make no path between them."""
    areas = [square("a", left=0.0, right=0.2), square("c", left=0.8, right=1.0)]
    stage = Stage(camera(areas=areas))
    stage.walk(standing((0.1, 0.5), seconds=4))
    stage.walk(standing((0.9, 0.5), seconds=4), first_id=2)
    assert not stage.of(PathTaken)


def test_nothing_is_kept_of_those_who_are_gone() -> None:
    """Twenty thousand visitors leave no trace in memory."""
    stage = Stage(camera(areas=[SHELF], heat={}, lines=[{"name": "door", "points": [(0, 0.5), (1, 0.5)]}]))
    for track_id in range(20_000):
        stage.floor.facts((person((0.5, 0.45 + 0.1 * (track_id % 2)), track_id=track_id),), from_at(stage))
    stage.show([])
    stage.show([], after_s=20)
    floor = stage.floor
    left = [floor._stays._presences, floor._paths._last, floor._passing._passed, floor._known, floor._before]
    left += [floor._staff._held, floor._staff._staff, floor._entrances._last, floor._groups._waiting]
    assert not any(left)
    assert not floor._heat._spent_s


def from_at(stage: Stage):
    from edge.clock import from_epoch_s

    stage.now_s += 0.2
    return from_epoch_s(stage.now_s)


@given(
    inside=st.lists(st.booleans(), min_size=1, max_size=200),
    fps=st.sampled_from([2.0, 5.0, 15.0]),
)
def test_every_visit_ends_once(inside: list[bool], fps: float) -> None:
    """Whatever a foot does, comings, visits and leavings alternate, and dwells never overlap or exceed the time."""
    (area,) = camera(areas=[SHELF]).areas
    stays = Stays([area], width_px=WIDTH, height_px=HEIGHT)
    changes = []
    for frame, there in enumerate(inside):
        changes += stays.update([person((0.5 if there else 0.1, 0.5))], at_s=frame / fps)
    changes += stays.update([], at_s=len(inside) / fps)
    order = "".join({"entered": "e", "visited": "v", "left": "l"}[one.change] for one in changes)
    assert all(part in ("e", "ev", "") for part in order.split("l"))
    assert order.count("e") == order.count("l")
    ended = [one for one in changes if one.change == "left"]
    assert all(one.dwell_s >= area.counts_after_s for one in ended if one.visited)
    assert all(a.until_s < b.since_s for a, b in itertools.pairwise(ended))


@given(st.integers(3, 12), st.floats(0, 6), st.floats(0, 1), st.floats(0, 1))
def test_a_convex_polygon_holds_what_lies_left_of_all_its_sides(n: int, turn: float, x: float, y: float) -> None:
    """The point test agrees with half-planes, wherever the point is not within a hair of the border."""
    corners = [
        (0.5 + 0.4 * math.cos(turn + 2 * math.pi * i / n), 0.5 + 0.4 * math.sin(turn + 2 * math.pi * i / n))
        for i in range(n)
    ]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    crosses = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for (ax, ay), (bx, by) in sides]
    if min(abs(cross) for cross in crosses) > 1e-5:
        assert Polygon(corners).contains(x, y) == all(cross > 0 for cross in crosses)
