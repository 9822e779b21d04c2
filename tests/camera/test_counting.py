from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.counting import CountingLine, touches_edge
from edge.camera.tracker import TrackedPerson
from edge.facts import Direction
from edge.settings import LineSettings

Point = tuple[float, float]
ACROSS = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))


def line(*points: Point) -> CountingLine:
    return CountingLine(LineSettings(name="door", points=points), width_px=1000, height_px=500)  # type: ignore[arg-type]


def at(foot_xy: Point, *, track_id: int = 1, confirmed: bool = True, missing_s: float = 0.0) -> TrackedPerson:
    x, y = foot_xy
    return TrackedPerson(track_id, (x - 20, y - 100, x + 20, y), foot_xy, confirmed, 0.8, missing_s, at_edge=False)


def walk(counting: CountingLine, feet: Iterable[Point]) -> list[Direction]:
    return [way for foot in feet for way in counting.update([at(foot)])]


@pytest.mark.parametrize(
    ("points", "start", "end", "expected"),
    [
        (((0, 0.5), (1, 0.5)), (500, 150), (500, 350), "in"),
        (((0, 0.5), (1, 0.5)), (500, 350), (500, 150), "out"),
        (((1, 0.5), (0, 0.5)), (500, 150), (500, 350), "out"),
        (((0.78, 0), (0.78, 1)), (900, 250), (600, 250), "in"),
        (((0.78, 0), (0.78, 1)), (600, 250), (900, 250), "out"),
        (((0.2, 0.2), (0.8, 0.8)), (600, 150), (400, 350), "in"),
        (((0.2, 0.2), (0.8, 0.8)), (400, 350), (600, 150), "out"),
    ],
)
def test_in_is_from_the_left_hand_to_the_right(
    points: tuple[Point, Point], start: Point, end: Point, expected: str
) -> None:
    """The convention of the command contract, as seen in the picture, whose y points down."""
    steps = [(start[0] + (end[0] - start[0]) * i / 9, start[1] + (end[1] - start[1]) * i / 9) for i in range(10)]
    assert walk(line(*points), steps) == [expected]


def test_swaying_on_the_line_is_no_crossing() -> None:
    """Somebody who stands on the line is counted once, when she leaves it on the other side."""
    sway = [(500, 250 + 7 * (-1) ** i) for i in range(200)]
    assert walk(line(*ACROSS.points), [(500, 200), *sway, (500, 200)]) == []
    assert walk(line(*ACROSS.points), [(500, 200), *sway, (500, 300)]) == ["in"]


def test_a_turn_behind_the_line_counts_both_ways() -> None:
    """In and out again is one in and one out, never nothing."""
    assert walk(line(*ACROSS.points), [(500, y) for y in (200, 240, 280, 300, 260, 220)]) == ["in", "out"]


def test_a_turn_before_the_line_counts_nothing() -> None:
    """Coming near is not crossing."""
    assert walk(line(*ACROSS.points), [(500, y) for y in (150, 200, 245, 248, 200, 150)]) == []


def test_the_line_has_ends() -> None:
    """Who walks past the end of the segment did not go through the door."""
    counting = line((0.3, 0.5), (0.7, 0.5))
    assert walk(counting, [(200, 200), (200, 300)]) == []
    assert walk(line((0.3, 0.5), (0.7, 0.5)), [(690, 200), (690, 300)]) == ["in"]
    assert walk(line((0.3, 0.5), (0.7, 0.5)), [(720, 200), (720, 300)]) == []


def test_round_the_end_and_back_through_is_one_crossing() -> None:
    """Out by the side, in by the door: only the door counts."""
    around = [(500, 200), (900, 200), (900, 300), (500, 300), (500, 200)]
    assert walk(line((0.3, 0.5), (0.7, 0.5)), around) == ["out"]


def test_a_line_to_the_pictures_edge_has_no_end_there() -> None:
    """The foot of a person cut by the picture's edge lies outside it, and still on the line's side of the world."""
    assert walk(line((0.5, 0.0), (0.5, 1.0)), [(600, 620), (400, 620)]) == ["in"]


def test_who_was_not_yet_sure_counts_once_confirmed() -> None:
    """A crossing before the confirmation is owed, and paid when the track is a person."""
    counting = line(*ACROSS.points)
    assert not counting.update([at((500, 200), confirmed=False)])
    assert not counting.update([at((500, 300), confirmed=False)])
    assert counting.update([at((500, 310))]) == ["in"]


def test_who_was_never_confirmed_never_counts() -> None:
    """A false alarm on both sides of the line is nothing."""
    counting = line(*ACROSS.points)
    counting.update([at((500, 200), confirmed=False)])
    counting.update([at((500, 300), confirmed=False)])
    assert counting.update([]) == []


def test_a_guessed_position_crosses_nothing() -> None:
    """While a track is missing its prediction may drift over the line; only being seen there counts."""
    counting = line(*ACROSS.points)
    counting.update([at((500, 200))])
    assert counting.update([at((500, 300), missing_s=0.4)]) == []
    assert counting.update([at((500, 210))]) == []
    assert counting.update([at((500, 300))]) == ["in"]


def test_who_vanishes_just_behind_the_line_has_crossed_it() -> None:
    """A door at the picture's border: the last sight decides, inside the strip as well."""
    counting = line(*ACROSS.points)
    assert walk(counting, [(500, 200), (500, 240), (500, 254)]) == []
    assert counting.update([]) == ["in"]
    assert counting.update([]) == []


def test_what_is_known_of_a_track_goes_with_it() -> None:
    """A hundred thousand visitors leave nothing behind, and a new one has no past."""
    counting = line(*ACROSS.points)
    for track_id in range(100_000):
        counting.update([at((500, 200), track_id=track_id)])
    assert counting.update([]) == []
    assert counting.update([at((500, 300), track_id=1)]) == []
    assert not counting.__dict__["_walks"].keys() - {1}


feet = st.tuples(st.floats(0, 1000), st.floats(0, 500))


@given(st.lists(feet, min_size=1, max_size=40))
def test_in_and_out_of_one_person_take_turns(path: list[Point]) -> None:
    """Over a line through the whole picture nobody goes in twice without coming out, and the sum fits the sides."""
    counting = line(*ACROSS.points)
    ways = walk(counting, path) + counting.finish()
    assert all(before != after for before, after in pairwise(ways))
    sides = [y > 250 for _, y in (path[0], path[-1])]
    assert ways.count("in") - ways.count("out") == sides[1] - sides[0]


@given(st.lists(feet, min_size=1, max_size=40))
def test_a_walk_backwards_counts_the_opposite(path: list[Point]) -> None:
    """The net count of a reversed walk is the negative."""
    forwards, backwards = line(*ACROSS.points), line(*ACROSS.points)
    there = walk(forwards, path) + forwards.finish()
    back = walk(backwards, path[::-1]) + backwards.finish()
    assert there.count("in") - there.count("out") == back.count("out") - back.count("in")


@pytest.mark.parametrize(
    ("points", "touching"),
    [
        (((0, 0), (1, 0)), True),
        (((0.99, 0.1), (1, 0.9)), True),
        (((0, 0.5), (1, 0.5)), False),
        (((0.01, 0.1), (0.2, 0.1)), False),
    ],
)
def test_a_line_along_the_edge_is_told(points: tuple[Point, Point], touching: bool) -> None:
    """Where people appear and vanish nothing can be counted; a line that merely ends there is fine."""
    assert touches_edge(LineSettings(name="door", points=points)) is touching
