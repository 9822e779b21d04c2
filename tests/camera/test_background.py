from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painted_place import HEIGHT, ROOM, WIDTH, Box, box_at, put

from edge.camera.background import Background
from edge.camera.detector import Detections
from edge.camera.thumbnail import THUMBNAIL_WH, thumbnail
from edge.camera.tracker import TrackedPerson
from edge.camera.tracks import PLAIN_SHARE, STANDS_OUT_SHARE

SOMEBODY = box_at(250, 280)


def place(*pictures: np.ndarray, before: int = 10) -> Background:
    """A background that has seen the empty room for two seconds, then `pictures`, five a second."""
    background = Background(width_px=WIDTH, height_px=HEIGHT)
    for index, picture in enumerate([ROOM] * before + list(pictures)):
        background.look(picture, at_s=index / 5)
    return background


def with_somebody(box: Box = SOMEBODY) -> np.ndarray:
    picture = ROOM.copy()
    put(picture, box, seed=3)
    return picture


def shares(background: Background, *boxes: Box, scores: tuple[float, ...] | None = None) -> list[float]:
    found = Detections.of(boxes, scores or [0.5] * len(boxes))
    return background.shares(found, at_s=2.0)


def person(box: Box, *, walked: bool = True) -> TrackedPerson:
    foot = ((box[0] + box[2]) / 2, box[3])
    return TrackedPerson(1, box, foot, True, 0.8, 0.0, False, True, walked)


def test_a_thumbnail_is_the_picture_in_small() -> None:
    """Grey, of one size whatever the picture's, a mean that is the picture's own."""
    for height, width in ((240, 320), (48, 64), (1080, 1920)):
        small = thumbnail(np.full((height, width, 3), 77, np.uint8))
        assert small.shape == THUMBNAIL_WH[::-1]
        assert (small == 77).all()


def test_who_came_stands_out_and_the_place_does_not() -> None:
    """Both in one picture."""
    somebody, nobody = shares(place(with_somebody()), SOMEBODY, box_at(400, 300))
    assert somebody > STANDS_OUT_SHARE
    assert nobody < PLAIN_SHARE


def test_the_first_picture_is_the_place() -> None:
    """Before anything else has been seen nobody stands out."""
    assert shares(place(with_somebody(), before=0), SOMEBODY) == [0.0]


def test_a_passer_by_lends_nothing_to_what_he_passes() -> None:
    """A box that he half covers is judged by its other half, one that he hides is not judged."""
    half = (SOMEBODY[0] - 40, SOMEBODY[1], SOMEBODY[0] + 25, SOMEBODY[3])
    behind = (SOMEBODY[0] + 3, SOMEBODY[1] + 3, SOMEBODY[2] - 3, SOMEBODY[3] - 3)
    background = place(with_somebody())
    passer_by, passed = shares(background, SOMEBODY, half, scores=(0.8, 0.5))
    assert passer_by > STANDS_OUT_SHARE
    assert passed < STANDS_OUT_SHARE
    assert isnan(shares(background, SOMEBODY, behind, scores=(0.8, 0.5))[1])


@pytest.mark.parametrize("light", [0.5, 0.8, 1.3])
def test_other_light_is_nobody(light: float) -> None:
    """The place's pattern is still there."""
    lit = np.clip(ROOM * light, 0, 255).astype(np.uint8)
    (nobody,) = shares(place(lit, lit, lit, lit, lit, lit, lit), SOMEBODY)
    assert nobody < STANDS_OUT_SHARE


def test_who_stands_there_is_not_learnt() -> None:
    """Ten minutes of somebody who shifts a little: he stands out as on the first day."""
    background = place()
    for second in range(600):
        box = box_at(250 + 4 * (second % 20 > 9), 280)
        background.look(with_somebody(box), at_s=2 + second)
        background.learn([person(box)], at_s=2 + second)
    assert shares(background, SOMEBODY)[0] > STANDS_OUT_SHARE


def test_what_never_moves_is_learnt_though_somebody_was_believed_there() -> None:
    """A thing that was carried in belongs to the place after some minutes."""
    background = place()
    for second in range(600):
        background.look(with_somebody(), at_s=2 + second)
        background.learn([person(SOMEBODY)], at_s=2 + second)
    assert shares(background, SOMEBODY)[0] < PLAIN_SHARE


def test_where_nothing_changes_somebody_is_still_there() -> None:
    """He is while his pixels stay, he is not once the empty place is back; who is hidden is there."""
    beside = np.empty((0, 4))
    here, gone = place(with_somebody(), with_somebody()), place(with_somebody(), ROOM)
    assert here.still_there(SOMEBODY, since_s=2.0, beside=beside)
    assert not gone.still_there(SOMEBODY, since_s=2.0, beside=beside)
    assert gone.still_there(SOMEBODY, since_s=2.0, beside=np.array((SOMEBODY,)))


corner = st.floats(-50, 600, width=32)


@settings(deadline=None)
@given(st.lists(st.tuples(st.tuples(corner, corner, corner, corner), st.floats(0, 1, width=32)), max_size=8))
def test_every_box_gets_a_share(boxes: list[tuple[tuple[float, ...], float]]) -> None:
    """Inside out, outside the picture, of no size: from 0 to 1, or not to be told."""
    found = Detections.of([box for box, _ in boxes], [score for _, score in boxes])
    given_shares = place(with_somebody()).shares(found, at_s=2.0)
    assert len(given_shares) == len(boxes)
    assert all(isnan(share) or 0 <= share <= 1 for share in given_shares)


def test_a_clock_that_jumps_begins_anew() -> None:
    """After a long pause, or a jump back, the next picture is the place."""
    for at_s in (5000.0, -5000.0):
        background = place()
        background.look(with_somebody(), at_s=at_s)
        assert shares(background, SOMEBODY) == [0.0]
