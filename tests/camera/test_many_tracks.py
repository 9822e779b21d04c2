from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_crowd import HEIGHT, WIDTH, window

from edge.camera.detector import Detections
from edge.camera.few_tracks import FewTracks
from edge.camera.many_tracks import ManyTracks
from edge.camera.tracker import Tracker
from edge.camera.tracks import Register, TrackedPerson, TrackerLimits, TrackRules

RULES = TrackRules(WIDTH, HEIGHT, 0.4, TrackerLimits())


def same(some: Iterable[TrackedPerson], others: Iterable[TrackedPerson]) -> bool:
    for one, other in zip(some, others, strict=True):
        assert (one.track_id, one.confirmed, one.at_edge) == (other.track_id, other.confirmed, other.at_edge)
        assert one.box_xyxy == pytest.approx(other.box_xyxy, abs=1e-5)
        assert one.foot_xy == pytest.approx(other.foot_xy, abs=1e-5)
        assert (one.score, one.missing_s) == pytest.approx((other.score, other.missing_s))
    return True


def both() -> tuple[FewTracks, ManyTracks]:
    return FewTracks(RULES, Register()), ManyTracks(RULES, Register())


@pytest.mark.parametrize("rate", [8, 60])
def test_plain_numbers_and_arrays_follow_alike(rate: float) -> None:
    """Two ways to keep tracks, one tracker: frame by frame the same people, in a quiet and in a crowded door."""
    few, many = both()
    before_s = 0.0
    _, frames = window(5, 5, people_a_minute=rate)
    for _, (at_s, found, _) in zip(range(600), frames, strict=False):
        for tracks in (few, many):
            tracks.advance(at_s - before_s, now_s=at_s)
        assert same(few.see(found, at_s=at_s), many.see(found, at_s=at_s))
        before_s = at_s


corner = st.floats(0, 700, width=32)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.tuples(corner, corner, corner, corner), st.floats(0, 1, width=32)), max_size=5),
        max_size=12,
    )
)
def test_no_boxes_tell_the_two_ways_apart(frames: list[list[tuple[tuple[float, ...], float]]]) -> None:
    """Whatever the boxes, the number of tracks and who is confirmed are the same."""
    few, many = both()
    for index, found in enumerate(frames):
        boxes = Detections.of([box for box, _ in found], [score for _, score in found])
        for tracks in (few, many):
            tracks.advance(0.2, now_s=index / 5)
        some, others = few.see(boxes, at_s=index / 5), many.see(boxes, at_s=index / 5)
        # Two pairings of exactly the same cost may be told apart by rounding; how many there are may not.
        assert len(some) == len(others)
        assert [one.track_id for one in some] == [one.track_id for one in others]


def test_tracks_go_over_without_a_loss() -> None:
    """From plain numbers to arrays and back, in mid-walk: nothing of a track is lost."""
    few, many = both()
    reference = FewTracks(RULES, Register())
    before_s = 0.0
    holders: list[FewTracks | ManyTracks] = [few, many]
    _, frames = window(6, 5, people_a_minute=30)
    few._register = many._register  # the tracker shares one register between them
    for index, (at_s, found, _) in zip(range(400), frames, strict=False):
        holder, other = holders[index % 2], holders[1 - index % 2]
        for tracks in (holder, reference):
            tracks.advance(at_s - before_s, now_s=at_s)
        assert same(holder.see(found, at_s=at_s), reference.see(found, at_s=at_s))
        other.take_over(holder.hand_over())
        assert not len(holder)
        before_s = at_s


def test_a_crowd_that_gathers_and_leaves_keeps_its_identities() -> None:
    """From two people to forty and back: whoever was there all the time is one and the same."""
    tracker = Tracker(width_px=2000, height_px=500, score_threshold=0.4)
    ids: set[tuple[int, int]] = set()
    for frame in range(60):
        people = 40 if 15 <= frame < 45 else 2
        boxes = [(45 * i + 2 * (frame % 3), 200, 45 * i + 30 + 2 * (frame % 3), 320) for i in range(people)]
        tracked = tracker.update(Detections.of(boxes, [0.9] * people), at_s=frame / 5)
        ids.add((tracked[0].track_id, tracked[1].track_id))
    assert ids == {(1, 2)}
    assert tracker.confirmed_total == 40


def test_ids_are_never_given_twice() -> None:
    """Both ways of keeping tracks number them from one register."""
    tracker = Tracker(width_px=2000, height_px=500, score_threshold=0.4)
    rng = np.random.default_rng(1)
    born: dict[int, int] = {}
    for frame in range(300):
        people = int(rng.integers(0, 30))
        boxes = [(60 * i, 100, 60 * i + 40, 220) for i in rng.permutation(33)[:people]]
        for person in tracker.update(Detections.of(boxes, [0.9] * people), at_s=frame / 2):
            born.setdefault(person.track_id, frame)
    assert list(born.values()) == sorted(born.values())
    assert sorted(born) == list(range(1, len(born) + 1))
