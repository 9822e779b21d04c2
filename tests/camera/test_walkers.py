"""Scripted people with realistic misses and false alarms, through tracker and line."""

from __future__ import annotations

import pytest
from scripted_crowd import DOOR, HEIGHT, WIDTH, Event, Verdict, judge, true_crossings, window

from edge.camera.counting import CountingLine
from edge.camera.tracker import Tracker
from edge.facts import Direction

WAYS: tuple[Direction, Direction] = ("in", "out")


def count(seed: int, fps: float) -> list[Verdict]:
    """In and out of one quarter of an hour, each held against the script event by event."""
    walkers, frames = window(seed, fps)
    following = Tracker(width_px=WIDTH, height_px=HEIGHT, score_threshold=0.4)
    line = CountingLine(DOOR, width_px=WIDTH, height_px=HEIGHT)
    counted: list[Event] = []
    foot_x: dict[int, float] = {}
    for at_s, found, _ in frames:
        people = following.update(found, at_s=at_s)
        foot_x |= {person.track_id: person.foot_xy[0] for person in people}
        counted += [Event(at_s, way, foot_x[track_id], track_id) for track_id, way in line.crossings(people)]
    truth = true_crossings(walkers)
    return [judge(truth, counted, way) for way in WAYS]


def check(windows: list[list[Verdict]], *, share_wrong: float) -> None:
    """Each way for itself: neither missed nor invented more than the share."""
    for way in zip(*windows, strict=True):
        true = sum(one.true for one in way)
        assert true > 150
        assert sum(one.missed for one in way) <= share_wrong * true
        assert sum(one.invented for one in way) <= share_wrong * true


@pytest.mark.parametrize(("fps", "share_wrong"), [(3, 0.02), (5, 0.01), (10, 0.01)])
def test_a_quarter_of_an_hour_is_counted_right_both_ways(fps: float, share_wrong: float) -> None:
    """Pairs, turns, standing on the line, occlusion, misses and false alarms: in and out each, event by event."""
    check([count(seed, fps) for seed in range(3)], share_wrong=share_wrong)


@pytest.mark.slow
@pytest.mark.parametrize(("fps", "share_wrong"), [(3, 0.02), (5, 0.01), (10, 0.01)])
def test_hours_of_quarters_are_counted_right_both_ways(fps: float, share_wrong: float) -> None:
    """The same over ten hours of people whom nobody tuned anything to; no window misses or invents more than two."""
    windows = [count(seed, fps) for seed in range(1000, 1040)]
    check(windows, share_wrong=share_wrong)
    if fps >= 5:
        assert max(max(way.missed, way.invented) for window in windows for way in window) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("fps", [5, 10])
def test_nearly_every_quarter_of_an_hour_is_right_to_the_hundredth(fps: float) -> None:
    """Of single quarters of an hour, some 65 crossings each way, most have not one wrong."""
    windows = [count(seed, fps) for seed in range(2000, 2030)]
    faultless = [way.missed == way.invented == 0 for window in windows for way in window]
    assert sum(faultless) >= 0.7 * len(faultless)
