from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_crowd import DOOR, window

from edge.camera.counting import CountingLine
from edge.camera.detector import Detections
from edge.camera.tracker import TrackedPerson, Tracker, TrackerLimits

WIDTH, HEIGHT = 640, 480


def tracker(**limits: float) -> Tracker:
    return Tracker(
        width_px=WIDTH,
        height_px=HEIGHT,
        score_threshold=0.4,
        limits=TrackerLimits(**limits),  # type: ignore[arg-type]
    )


def person(x: float, foot_y: float, *, height: float = 150) -> tuple[float, float, float, float]:
    return (x - height * 0.19, foot_y - height, x + height * 0.19, foot_y)


def seen(*boxes: tuple[float, float, float, float], score: float = 0.8) -> Detections:
    return Detections.of(boxes, [score] * len(boxes))


def confirmed(people: tuple[TrackedPerson, ...]) -> list[int]:
    return [one.track_id for one in people if one.confirmed]


def test_a_walker_keeps_one_identity_at_every_frame_rate() -> None:
    """From 2 to 15 frames a second, although at 2 a walker moves more than twice his own width a frame."""
    for fps in (2, 3, 5, 10, 15):
        following = tracker()
        ids = set()
        for frame in range(int(4 * fps)):
            at_s = frame / fps
            ids |= {one.track_id for one in following.update(seen(person(60 + 120 * at_s, 300)), at_s=at_s)}
        assert len(ids) == 1, fps
        assert following.confirmed_total == 1


def test_two_who_pass_each_other_keep_their_identities() -> None:
    """People who walk in opposite directions and meet go on as themselves."""
    following = tracker()
    for frame in range(30):
        at_s = frame / 7
        people = following.update(seen(person(100 + 100 * at_s, 300), person(540 - 100 * at_s, 330)), at_s=at_s)
        if frame == 3:
            first = [one.track_id for one in sorted(people, key=lambda one: one.box_xyxy[0])]
    last = [one.track_id for one in sorted(people, key=lambda one: one.box_xyxy[0])]
    assert last == first[::-1]


def test_somebody_behind_a_pillar_is_the_same_afterwards() -> None:
    """A second without a box, and an uneven frame rate, do not make a second person."""
    following = tracker()
    ids: set[int] = set()
    for at_s in (0.0, 0.2, 0.35, 0.6, 0.8, 1.0, 1.9, 2.05, 2.3):
        hidden = 1.0 < at_s < 1.9
        found = seen() if hidden else seen(person(100 + 110 * at_s, 300))
        ids |= set(confirmed(following.update(found, at_s=at_s)))
    assert len(ids) == 1


def test_a_false_alarm_is_nobody() -> None:
    """One box in one frame, wherever it comes, is never confirmed."""
    following = tracker()
    rng = np.random.default_rng(5)
    for frame in range(400):
        found = seen(person(*rng.uniform((50, 160), (600, 470))), score=0.6) if frame % 8 == 0 else seen()
        assert not confirmed(following.update(found, at_s=frame / 10))


def test_a_low_score_continues_a_track_but_begins_none() -> None:
    """The second stage of the association: doubtful boxes are believed only where somebody is expected."""
    following = tracker()
    for frame in range(10):
        assert not following.update(seen(person(300, 300), score=0.3), at_s=frame / 5)
    for frame in range(10, 14):
        following.update(seen(person(300, 300), score=0.8), at_s=frame / 5)
    for frame in range(14, 40):
        people = following.update(seen(person(300, 300), score=0.3), at_s=frame / 5)
        assert [one.missing_s for one in people] == [0.0]


def test_legs_are_not_a_second_person() -> None:
    """A short-lived box within a person's box is that person's part."""
    following = tracker()
    whole, legs = person(300, 400, height=300), (270.0, 250.0, 330.0, 400.0)
    for frame in range(40):
        both = 10 <= frame < 16
        found = seen(whole, legs) if both else seen(whole)
        assert len(confirmed(following.update(found, at_s=frame / 10))) <= 1


def test_somebody_who_stays_before_another_is_found_out() -> None:
    """A child in front of an adult is counted in the end."""
    following = tracker()
    adult, child = person(300, 400, height=300), person(310, 410, height=150)
    for frame in range(30):
        people = following.update(seen(adult, child), at_s=frame / 10)
    assert len(confirmed(people)) == 2


def test_a_foot_beyond_the_edge_is_where_the_body_says() -> None:
    """Who leaves the picture sideways keeps the width known from before: the foot goes on, the box does not."""
    following = tracker()
    for frame in range(12):
        x = 520 + 12 * frame
        left, top, _, bottom = person(x, 400, height=200)
        people = following.update(seen((left, top, min(x + 38, WIDTH), bottom)), at_s=frame / 10)
    (last,) = people
    assert last.at_edge
    assert (last.box_xyxy[0] + last.box_xyxy[2]) / 2 < 637
    assert last.foot_xy[0] == pytest.approx(652, abs=14)


def test_after_a_long_gap_everybody_is_new() -> None:
    """A stream that was away, or a clock that jumped either way, begins again without an error."""
    following = tracker()
    for at_s in (0.0, 0.2, 0.4):
        before = following.update(seen(person(300, 300)), at_s=at_s)
    for at_s in (1000.0, 1000.2, 1000.4, -50.0, -49.8, -49.6):
        after = following.update(seen(person(300, 300)), at_s=at_s)
    assert before[0].track_id != after[0].track_id
    assert following.confirmed_total == 3


def test_a_frame_out_of_order_changes_nobody() -> None:
    """A frame that overtook another by a moment does not turn time back."""
    following = tracker()
    for at_s in (0.0, 0.2, 0.4, 0.3, 0.6, 0.5, 0.8):
        people = following.update(seen(person(300, 300)), at_s=at_s)
    assert [one.track_id for one in people] == [1]


def test_the_number_of_tracks_is_bounded() -> None:
    """A camera that reports a crowd of ghosts in every frame takes no more than its share."""
    following = tracker(max_tracks=50)
    rng = np.random.default_rng(1)
    for frame in range(300):
        feet = rng.uniform((40, 100), (600, 470), (300, 2))
        boxes = [person(x, y, height=40) for x, y in feet]
        assert len(following.update(seen(*boxes), at_s=frame / 5)) <= 50


def test_nobody_is_remembered_once_gone() -> None:
    """Some seconds after the last box there is not a track left."""
    following = tracker()
    for frame in range(20):
        following.update(seen(person(100, 300), person(400, 300)), at_s=frame / 5)
    for frame in range(20, 40):
        people = following.update(seen(), at_s=frame / 5)
    assert people == ()


boxes = st.tuples(*[st.floats(0, 700, width=32)] * 4)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-10, 10), st.lists(st.tuples(boxes, st.floats(0, 1, width=32)), max_size=6)), max_size=25
    )
)
def test_no_sequence_of_boxes_breaks_the_tracker(
    frames: list[tuple[float, list[tuple[tuple[float, ...], float]]]],
) -> None:
    """Boxes inside out, empty, doubled, times forwards and back: finite tracks, distinct ids, nothing raised."""
    following, at_s = tracker(), 0.0
    for step_s, found in frames:
        at_s += step_s
        people = following.update(Detections.of([box for box, _ in found], [score for _, score in found]), at_s=at_s)
        assert len({one.track_id for one in people}) == len(people)
        assert np.isfinite([one.box_xyxy + one.foot_xy for one in people]).all()


@pytest.mark.slow
def test_memory_stays_flat_over_days_of_frames() -> None:
    """Two hundred thousand frames of a busy door: what is allocated after the first tenth is all that ever will be."""
    _, frames = window(7, 5, people_a_minute=20)
    quarter = [(at_s, found) for at_s, found, _ in frames]
    following, line = tracker(), CountingLine(DOOR, width_px=WIDTH, height_px=HEIGHT)
    tracemalloc.start()
    try:
        sizes = []
        for again in range(200_000 // len(quarter) + 1):
            for at_s, found in quarter:
                line.update(following.update(found, at_s=1000 * again + at_s))
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert following.confirmed_total > 10_000
    assert sizes[-1] - sizes[len(sizes) // 10] < 50_000
