"""The simulated door: what it claims to be true is true of the pictures it draws."""

import math
import time

import numpy as np
import pytest

from edge.simulate.figures import Stance, foot_point, pose, random_look
from edge.simulate.perspective import View
from edge.simulate.scene import DoorScene, training_picture


@pytest.fixture(scope="module")
def scene() -> DoorScene:
    return DoorScene(seed=5)


def _side(line: tuple[float, float, float, float], point: tuple[float, float]) -> float:
    """Positive on the right hand of someone who walks along the line, as seen in the picture."""
    x1, y1, x2, y2 = line
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def _feet(scene: DoorScene, at_s: float) -> dict[int, tuple[float, float]]:
    frame = scene.frame(at_s)
    height, width = frame.image_bgr.shape[:2]
    return {
        person: (float(x1 + x2) / 2 / width, float(y2) / height)
        for person, (x1, _, x2, y2) in zip(frame.person_ids, frame.boxes_xyxy, strict=True)
    }


def test_the_same_seed_draws_the_same_pictures_in_any_order() -> None:
    """A frame is a function of seed and time, not of what was asked before."""
    one, other = DoorScene(seed=3), DoorScene(seed=3)
    late = one.frame(31.4)
    one.crossings(until_s=20.0)
    early = one.frame(7.2)
    other_early, other_late = other.frame(7.2), other.frame(31.4)
    for mine, theirs in ((early, other_early), (late, other_late)):
        assert np.array_equal(mine.image_bgr, theirs.image_bgr)
        assert np.array_equal(mine.boxes_xyxy, theirs.boxes_xyxy)
        assert mine.person_ids == theirs.person_ids


def test_another_seed_is_another_crowd() -> None:
    """Two seeds share neither picture nor crossings."""
    one, other = DoorScene(seed=1), DoorScene(seed=2)
    assert not np.array_equal(one.frame(9.0).image_bgr, other.frame(9.0).image_bgr)
    assert one.crossings(until_s=60) != other.crossings(until_s=60)


def test_crossings_are_where_the_boxes_foot_points_cross(scene: DoorScene) -> None:
    """Each true crossing is a change of side of that person's foot point, and there is no other."""
    step, until = 0.1, 60.0
    seen: list[tuple[int, str, float]] = []
    before: dict[int, float] = {}
    for index in range(int(until / step) + 1):
        sides = {person: _side(scene.line, foot) for person, foot in _feet(scene, index * step).items()}
        for person, side in sides.items():
            if person in before and (side > 0) != (before[person] > 0):
                seen.append((person, "in" if side > 0 else "out", index * step))
        before |= sides
    truth = scene.crossings(until_s=until)
    assert len(truth) > 20
    assert {(person, way) for person, way, _ in seen} == {(c.person_id, c.direction) for c in truth}
    assert len(seen) == len(truth)
    seen_at = {person: at_s for person, _, at_s in seen}
    assert all(seen_at[c.person_id] - step - 1e-6 <= c.at_s <= seen_at[c.person_id] + 1e-6 for c in truth)


def test_foot_points_cross_within_the_lines_ends(scene: DoorScene) -> None:
    """The line spans where people walk, with room to spare."""
    x1, _, x2, _ = scene.line
    assert 0 < x1 < x2 < 1
    for crossing in scene.crossings(until_s=90):
        x, _ = _feet(scene, crossing.at_s)[crossing.person_id]
        assert x1 + 0.02 < x < x2 - 0.02


def test_in_is_from_the_left_hand_to_the_right(scene: DoorScene) -> None:
    """For this horizontal line, in is downwards in the picture."""
    for crossing in scene.crossings(until_s=40):
        before = _side(scene.line, _feet(scene, crossing.at_s - 0.3)[crossing.person_id])
        after = _side(scene.line, _feet(scene, crossing.at_s + 0.3)[crossing.person_id])
        assert (before < 0 < after) if crossing.direction == "in" else (after < 0 < before)


def test_about_half_come_in_and_the_rate_is_near_what_was_asked() -> None:
    """Ten minutes at 40 a minute: 300 to 440 people, 45 to 55 % of them in."""
    crossings = DoorScene(seed=8).crossings(until_s=600)
    coming = sum(crossing.direction == "in" for crossing in crossings)
    assert 300 <= len(crossings) <= 440
    assert 0.45 <= coming / len(crossings) <= 0.55
    assert [c.at_s for c in crossings] == sorted(c.at_s for c in crossings)
    assert len({c.person_id for c in crossings}) == len(crossings)


def test_nobody_starts_after_the_last_entry_and_the_picture_empties() -> None:
    """A bounded demo ends with an empty picture and with everybody counted."""
    scene = DoorScene(seed=4, last_entry_s=20.0)
    assert scene.frame(15.0).person_ids
    assert scene.frame(45.0).person_ids == ()
    assert scene.frame(3600.0).person_ids == ()
    crossings = scene.crossings(until_s=1e9)
    assert crossings
    assert crossings == scene.crossings(until_s=45.0)
    assert max(c.at_s for c in crossings) < 40.0


def test_crossings_until_a_time_are_a_prefix(scene: DoorScene) -> None:
    """Asking for less never changes what happened."""
    long = scene.crossings(until_s=50)
    assert scene.crossings(until_s=25) == tuple(c for c in long if c.at_s <= 25)


def test_people_near_the_line_are_not_hidden(scene: DoorScene) -> None:
    """While a foot point is within 5 % of the picture of the line, half of the box at least is free."""
    for crossing in scene.crossings(until_s=90):
        frame = scene.frame(crossing.at_s)
        mine = frame.boxes_xyxy[frame.person_ids.index(crossing.person_id)]
        for person, box in zip(frame.person_ids, frame.boxes_xyxy, strict=True):
            if person == crossing.person_id:
                continue
            low, high = np.maximum(mine[:2], box[:2]), np.minimum(mine[2:], box[2:])
            common = float(np.maximum(high - low, 0).prod())
            assert common < 0.5 * float((mine[2:] - mine[:2]).prod())


@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 240), (1280, 720)])
def test_pictures_have_the_size_asked_for_and_boxes_lie_inside(width: int, height: int) -> None:
    """Boxes are cut to the picture, one per listed person."""
    scene = DoorScene(seed=6, width=width, height=height)
    for at_s in (6.0, 12.0, 18.0):
        frame = scene.frame(at_s)
        assert frame.image_bgr.shape == (height, width, 3)
        assert frame.image_bgr.dtype == np.uint8
        assert frame.boxes_xyxy.shape == (len(frame.person_ids), 4)
        assert frame.boxes_xyxy.dtype == np.float32
        assert (frame.boxes_xyxy[:, :2] >= 0).all()
        assert (frame.boxes_xyxy[:, 2:] <= (width, height)).all()
        assert (frame.boxes_xyxy[:, 2:] > frame.boxes_xyxy[:, :2]).all()


def test_boxes_hold_what_was_drawn() -> None:
    """A drawn person changes pixels up to every side of the box, and none outside but the shadow."""
    view = View.of_angles(width=640, height=480, across_deg=70, height_m=3.0, pitch_deg=40)
    rng = np.random.default_rng(2)
    for _ in range(20):
        stance = Stance(
            x_m=float(rng.uniform(-1, 1)),
            y_m=float(rng.uniform(3, 6)),
            heading_rad=float(rng.uniform(0, 2 * math.pi)),
            walked_m=float(rng.uniform(0, 3)),
            stride_m=0.6,
        )
        figure = pose(random_look(rng), stance, view)
        canvas = np.full((480, 640, 3), 1, np.uint8)
        figure.draw(canvas)
        rows, columns = np.nonzero((canvas != 1).any(-1))
        drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert drawn == pytest.approx(figure.box_xyxy, abs=3.0)


@pytest.mark.parametrize("heading_rad", [-math.pi / 2, math.pi / 2])
def test_a_walkers_foot_point_only_moves_on(heading_rad: float) -> None:
    """No step makes the foot point go back, so nobody crosses a line twice by swinging a leg."""
    view = View.of_angles(width=640, height=480, across_deg=70, height_m=3.2, pitch_deg=39)
    look = random_look(np.random.default_rng(1))
    way = math.sin(heading_rad)
    rows = [
        foot_point(
            look,
            Stance(x_m=0.3, y_m=4.1 + way * (s - 2), heading_rad=heading_rad, walked_m=s, stride_m=0.7),
            view,
        )[1]
        for s in np.arange(0, 4, 0.01)
    ]
    steps = np.diff(rows) * -way
    assert (steps > -1e-6).all()


def test_training_pictures_are_drawn_from_their_generator() -> None:
    """The same generator state gives the same scene; sizes and boxes are as promised."""
    one = training_picture(np.random.default_rng(9), width=416, height=300)
    other = training_picture(np.random.default_rng(9), width=416, height=300)
    assert np.array_equal(one.image_bgr, other.image_bgr)
    assert np.array_equal(one.boxes_xyxy, other.boxes_xyxy)
    assert one.image_bgr.shape == (300, 416, 3)
    assert len(one.person_ids) == len(one.boxes_xyxy)


def test_training_pictures_hold_crowds_and_empty_rooms() -> None:
    """Over many scenes there are empty ones, crowded ones, small and large people."""
    scenes = [training_picture(np.random.default_rng([1, n]), width=320, height=240) for n in range(60)]
    counts = [len(scene.person_ids) for scene in scenes]
    heights = np.concatenate([scene.boxes_xyxy[:, 3] - scene.boxes_xyxy[:, 1] for scene in scenes])
    assert min(counts) == 0
    assert max(counts) >= 8
    assert heights.min() < 40
    assert heights.max() > 130


def test_a_frame_is_drawn_faster_than_a_camera_asks(scene: DoorScene) -> None:
    """Well under the 8 ms budget on an idle core; the bound here allows for a busy machine."""
    spent: list[float] = []
    for index in range(40):
        started = time.perf_counter()
        scene.frame(10.0 + index * 0.2)
        spent.append(time.perf_counter() - started)
    assert sorted(spent)[len(spent) // 2] < 0.04
