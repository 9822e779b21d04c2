from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.train.footfall_augment import _clip, _warp, colour_and_damage, erase, place

BRIGHT = 150
Boxes = np.ndarray
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(60, 700)
shares = st.floats(0.02, 0.6)


@st.composite
def people(draw: st.DrawFn) -> tuple[tuple[int, int], Boxes]:
    """A picture's width and height, and one person in it."""
    width, height = draw(sides), draw(sides)
    wide, high = max(12, int(width * draw(shares))), max(16, int(height * draw(shares)))
    assume(wide < width and high < height)
    left, top = draw(st.integers(0, width - wide)), draw(st.integers(0, height - high))
    return (width, height), np.array([[left, top, left + wide, top + high]], np.float32)


windows = st.sampled_from([(0, 0, 320, 256), (0, 0, 130, 100), (130, 0, 320, 100), (130, 100, 320, 256)])
zooms = st.sampled_from([(0.65, 1.9), (1.0, 2.4), (1.0, 1.0)])


def bright_box(image_bgr: np.ndarray) -> np.ndarray | None:
    """The hull of the bright pixels."""
    rows, columns = np.nonzero(image_bgr.min(2) > BRIGHT)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) if len(rows) else None


# -- Boxes follow pixels


@settings(deadline=None, max_examples=150)
@given(people(), seeds, windows, zooms)
def test_boxes_follow_the_pixels(
    room_of: Callable[..., np.ndarray],
    person: tuple[tuple[int, int], Boxes],
    seed: int,
    window: tuple[int, int, int, int],
    zoom: tuple[float, float],
) -> None:
    """Whoever is drawn is asked for or ignored, in a box that holds them; if they stand free it is no larger than they are."""
    size, boxes = person
    canvas = np.full((256, 320, 3), 114, np.uint8)
    found, ignored = place(
        np.random.default_rng(seed),
        room_of(size, boxes.tolist()),
        boxes,
        np.zeros((0, 4), np.float32),
        canvas=canvas,
        window=window,
        zoom=zoom,
    )
    seen = bright_box(canvas)
    told = np.concatenate((found, ignored))
    assert len(told) <= 1
    if seen is None:
        return
    slack = 2.5 + 0.06 * max(seen[2] - seen[0], seen[3] - seen[1])  # the box of a turned oval is guessed
    if not len(told):
        assert (seen[2:] - seen[:2]).min() <= 3, "somebody is drawn whom nobody is told of"
        return
    if (seen[2:] - seen[:2]).min() < 8:
        return  # a sliver at the edge: of a turned oval its box says little
    box = told[0]
    assert (box[:2] <= seen[:2] + slack).all()
    assert (box[2:] >= seen[2:] - slack).all()
    left, top, right, bottom = window
    assert (box >= (left, top, left, top)).all()
    assert (box <= (right, bottom, right, bottom)).all()
    if box[0] > left and box[1] > top and box[2] < right and box[3] < bottom:
        assert np.abs(box - seen).max() <= slack


@settings(deadline=None, max_examples=50)
@given(people(), seeds, windows, zooms)
def test_a_region_to_ignore_moves_as_people_do(
    person: tuple[tuple[int, int], Boxes], seed: int, window: tuple[int, int, int, int], zoom: tuple[float, float]
) -> None:
    """The same box, as a person and as a region, arrives at the same place; nothing is drawn outside the window."""
    (width, height), boxes = person
    image, none = np.full((height, width, 3), 90, np.uint8), np.zeros((0, 4), np.float32)
    arrived = []
    for given_boxes in ((boxes, none), (none, boxes)):
        canvas = np.full((256, 320, 3), 7, np.uint8)
        found = place(np.random.default_rng(seed), image, *given_boxes, canvas=canvas, window=window, zoom=zoom)
        arrived.append(np.concatenate(found))
        left, top, right, bottom = window
        canvas[top:bottom, left:right] = 7
        assert (canvas == 7).all()
    assert np.array_equal(*arrived)
    assert (image == 90).all()


corners = st.tuples(*[st.floats(-500, 500, width=32)] * 2, *[st.floats(1, 500, width=32)] * 2)
box_lists = st.lists(corners, max_size=6).map(
    lambda them: np.array([(x, y, x + wide, y + high) for x, y, wide, high in them], np.float32).reshape(-1, 4)
)


@given(box_lists, st.integers(1, 400), st.integers(1, 400))
def test_cut_boxes_lie_in_the_window(boxes: Boxes, width: int, height: int) -> None:
    """Each keeps the share of its area that is left, and cutting again changes nothing."""
    before = boxes.copy()
    cut, kept = _clip(boxes, width, height)
    assert np.array_equal(boxes, before)
    assert ((cut >= 0) & (cut <= (width, height, width, height))).all()
    assert ((kept >= 0) & (kept <= 1.001)).all()
    areas = [(one[:, 2:] - one[:, :2]).astype(np.float64).prod(1) for one in (cut, boxes)]
    assert np.allclose(kept * areas[1], areas[0], rtol=1e-3, atol=1e-2)
    assert np.array_equal(_clip(cut, width, height)[0], cut)


scales = st.floats(0.1, 5)
shifts = st.floats(-200, 200)


@given(box_lists, scales, scales, shifts, shifts)
def test_scaling_and_shifting_are_exact(boxes: Boxes, sx: float, sy: float, dx: float, dy: float) -> None:
    """Without a turn a box's corners go where the pixels go."""
    warped = _warp(boxes, np.array([[sx, 0, dx], [0, sy, dy]]))
    assert np.allclose(warped, boxes * (sx, sy, sx, sy) + (dx, dy, dx, dy), rtol=1e-4, atol=1e-2)


@given(box_lists, st.floats(-0.3, 0.3), scales)
def test_a_turned_box_holds_a_turned_oval(boxes: Boxes, angle: float, scale: float) -> None:
    """It keeps its middle, and is smaller than the hull of its turned corners, in which nobody would stand."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    warped = _warp(boxes, turn)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert np.allclose((warped[:, :2] + warped[:, 2:]) / 2, middle @ turn[:, :2].T, rtol=1e-3, atol=0.05)
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None] * np.abs(turn[:, :2])  # what each side adds to width and height
    size = warped[:, 2:] - warped[:, :2]
    assert (size >= np.sqrt((sides**2).sum(2)) - 0.05).all()
    assert (size <= sides.sum(2) - sides.min(2) / 2 + 0.05).all()


# -- Covering


@settings(deadline=None, max_examples=100)
@given(people(), seeds)
def test_at_least_half_of_a_covered_person_is_left(
    room_of: Callable[..., np.ndarray], person: tuple[tuple[int, int], Boxes], seed: int
) -> None:
    """Nothing is covered above the person, below them, or further than their width beside them; the box stays."""
    size, boxes = person
    image = room_of(size, boxes.tolist())
    before, box_before = image.copy(), boxes.copy()
    erase(np.random.default_rng(seed), image, boxes)
    changed = (image != before).any(2)
    x1, y1, x2, y2 = boxes[0].astype(int)
    assert changed[y1:y2, x1:x2].mean() <= 0.5
    near = slice(max(0, x1 - (x2 - x1)), x2 + (x2 - x1))
    changed[y1:y2, near] = False
    assert not changed.any()
    assert np.array_equal(boxes, box_before)


def test_some_people_are_covered_and_some_are_not(room_of: Callable[..., np.ndarray]) -> None:
    """Of a hundred, about a third."""
    box = np.array([[40, 20, 70, 90]], np.float32)
    covered = 0
    for seed in range(100):
        image = room_of((160, 120), box.tolist())
        before = image.copy()
        erase(np.random.default_rng(seed), image, box)
        covered += bool((image != before).any())
    assert 15 <= covered <= 55


# -- Light and damage


@settings(deadline=None, max_examples=100)
@given(seeds)
def test_damage_moves_nothing(room_of: Callable[..., np.ndarray], seed: int) -> None:
    """A bright person stays where they are, whatever the light; the picture keeps its size and the original is not touched."""
    image = room_of((160, 128), [(50, 20, 90, 110)])
    before = image.copy()
    damaged = colour_and_damage(np.random.default_rng(seed), image)
    assert (damaged.shape, damaged.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)
    light = [one.astype(np.float64).mean(2).ravel() for one in (image, damaged)]
    assert np.corrcoef(*light)[0, 1] > 0.8


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_damage_follows_from_its_number(room_of: Callable[..., np.ndarray], seed: int) -> None:
    """The same seed damages alike, also where OpenCV draws the noise."""
    image = room_of((64, 48), [(10, 10, 30, 40)])
    one, other = (colour_and_damage(np.random.default_rng(seed), image) for _ in range(2))
    assert np.array_equal(one, other)
