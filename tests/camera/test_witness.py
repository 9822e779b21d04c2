from __future__ import annotations

import cv2
import numpy as np
import pytest
from painted_place import HEIGHT, ROOM, WIDTH, Box, Camera, Found, box_at, flickering, patch, put

MACHINES = (box_at(300, 300, height=150), box_at(420, 120, height=60), (90.0, 0.0, 130.0, 55.0))


def furnished(*, light: float = 1.0) -> np.ndarray:
    """The room with machines that stand about like people."""
    picture = ROOM.copy()
    for seed, machine in enumerate(MACHINES):
        put(picture, machine, seed=50 + seed)
    return np.clip(picture * light, 0, 255).astype(np.uint8)


PLACE = furnished()


def walking(at_s: float, *, foot_y: float = 290.0, speed: float = 80.0) -> Box:
    return box_at(-30 + speed * at_s, foot_y)


@pytest.mark.parametrize("seed", range(3))
def test_a_thing_that_looks_like_somebody_is_never_visible(seed: int) -> None:
    """Ten minutes of false boxes, flickering, of scores from the threshold to nearly sure: nobody, and nobody tracked."""
    camera = Camera(seed=seed)
    assert not any(camera.play(600, lambda _: (PLACE, flickering(camera.rng, MACHINES))))
    assert camera.pipeline.tracks_confirmed == 0


@pytest.mark.parametrize("seed", range(3))
def test_who_walks_past_things_is_one_and_they_are_none(seed: int) -> None:
    """A person goes through the room once in twelve seconds for ten minutes, in front of machines: in all, one at most."""
    camera = Camera(seed=seed)
    lane = 285 + 10 * seed

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        box = walking(at_s % 12, foot_y=lane, speed=60 + 15 * seed)
        picture = PLACE.copy()
        put(picture, box, seed=7, dark=120, bright=255)
        finds = flickering(camera.rng, MACHINES)
        if box[0] > 0 and box[2] < WIDTH and camera.rng.random() < 0.94:
            finds.append((box, float(camera.rng.uniform(0.35, 0.9))))
        return picture, finds

    visible = camera.play(600, scene)
    assert max(visible) <= 2
    assert sum(people > 1 for people in visible) < 0.02 * len(visible)
    passes = 50
    assert camera.crossings().count("in") + camera.crossings().count("out") == pytest.approx(passes, abs=1)


def stands_at(x: float, foot_y: float, at_s: float) -> Box:
    """Somebody who stands and shifts a little now and then."""
    return box_at(x + 3 * np.sin(at_s / 4), foot_y + 1.5 * np.sin(at_s / 3))


@pytest.mark.parametrize("score", [0.4, 0.8])
def test_who_walks_in_and_stands_is_one_person_for_as_long(score: float) -> None:
    """Ten minutes at the till, half believed: visible all the time, tracked once, counted over the line once."""
    camera = Camera()
    camera.play(5, lambda _: (ROOM, []))

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        walked = min(at_s, 4.0)
        box = walking(walked) if at_s < 4 else stands_at(-30 + 80 * 4, 290, at_s - 4)
        picture = ROOM.copy()
        put(picture, box, seed=9)
        found = camera.rng.random() < 0.9
        return picture, [(box, float(np.clip(camera.rng.normal(score, 0.05), 0.31, 1)))] if found else []

    visible = camera.play(600, scene)
    assert set(visible[10:]) == {1}
    assert camera.pipeline.tracks_confirmed == 1
    assert len(camera.crossings()) == 1


def test_who_is_overlooked_while_standing_stays_visible() -> None:
    """The detector finds nobody for a second and a half, the picture has not changed: still there; gone: gone in a moment."""
    camera = Camera()
    camera.play(5, lambda _: (ROOM, []))
    box, picture = box_at(250, 290), ROOM.copy()
    put(picture, box, seed=9)
    camera.play(4, lambda _: (picture, [(box, 0.8)]))
    assert set(camera.play(1.6, lambda _: (picture, []))) == {1}
    assert set(camera.play(2, lambda _: (picture, [(box, 0.8)]))) == {1}
    assert camera.pipeline.tracks_confirmed == 1
    assert not any(camera.play(3, lambda _: (ROOM, []))[3:])


def test_who_is_hidden_behind_somebody_is_still_in_view() -> None:
    """Somebody passes in front of a person who stands: two all the while, though only one box is found."""
    camera = Camera()
    camera.play(5, lambda _: (ROOM, []))
    behind = box_at(250, 250, height=110)

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        front = box_at(min(60 + 70 * at_s, 252), 290, height=150)
        picture = ROOM.copy()
        put(picture, behind, seed=9)
        put(picture, front, seed=10, dark=120, bright=255)
        hidden = front[2] > behind[0] + 15
        return picture, [(front, 0.9)] if hidden else [(front, 0.9), (behind, 0.8)]

    visible = camera.play(4, scene)
    assert set(visible[5:]) == {2}


def test_who_stood_there_at_the_start_is_seen_if_sure() -> None:
    """The camera starts with somebody before it, of whom the detector is sure: visible at once, for ten minutes."""
    camera = Camera()

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        box = stands_at(250, 290, at_s)
        picture = ROOM.copy()
        put(picture, box, seed=9)
        return picture, [(box, float(np.clip(camera.rng.normal(0.75, 0.06), 0.3, 1)))]

    assert set(camera.play(600, scene)) == {1}
    assert camera.pipeline.tracks_confirmed == 1


def test_who_stood_there_at_the_start_half_believed_is_found_by_moving() -> None:
    """Not before, for it might be a thing; then within a second, and for good."""
    camera = Camera()
    still, picture = box_at(250, 290), ROOM.copy()
    put(picture, still, seed=9)
    assert not any(camera.play(20, lambda _: (picture, [(still, 0.45)])))

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        box = box_at(250 + min(60 * at_s, 150), 290)
        moved = ROOM.copy()
        put(moved, box, seed=9)
        return moved, [(box, 0.45)]

    assert set(camera.play(120, scene)[5:]) == {1}
    assert camera.pipeline.tracks_confirmed == 1


def test_light_that_is_switched_makes_nobody() -> None:
    """Lamps go on, off, and on in one corner: the machines are what they were."""
    camera = Camera()
    corner = furnished()
    corner[:, WIDTH // 2 :] = np.clip(corner[:, WIDTH // 2 :] * 1.35, 0, 255).astype(np.uint8)
    for picture in (furnished(light=0.7), furnished(), furnished(light=0.6), corner, furnished()):
        for _ in range(150):
            assert not camera.show(picture, flickering(camera.rng, MACHINES)).people_visible


def test_a_shadow_makes_nobody() -> None:
    """A soft shadow wanders over the machines again and again."""
    camera = Camera()
    across = np.arange(WIDTH)

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        shade = 1 - 0.4 * np.exp(-(((across - 60 * (at_s % 8)) / 40) ** 2))
        return (PLACE * shade[None, :, None]).astype(np.uint8), flickering(camera.rng, MACHINES)

    assert sum(camera.play(240, scene)) == 0


def test_a_camera_that_sways_makes_nobody() -> None:
    """The mast moves by a few pixels, as masts and hands do."""
    camera = Camera()

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        off_x, off_y = 3 * np.sin(2.1 * at_s), 2 * np.sin(1.3 * at_s)
        moved = shifted(PLACE, off_x, off_y)
        boxes = [(x1 + off_x, y1 + off_y, x2 + off_x, y2 + off_y) for x1, y1, x2, y2 in MACHINES]
        return moved, flickering(camera.rng, boxes)

    assert sum(camera.play(240, scene)) == 0


def shifted(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """`picture` shifted by parts of pixels."""

    matrix = np.array(((1, 0, x), (0, 1, y)), np.float32)
    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def test_a_screen_makes_nobody_for_long() -> None:
    """A television shows one thing after another where the detector half sees a person."""
    camera = Camera()
    screen = box_at(300, 200, height=90)

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        picture = ROOM.copy()
        put(picture, screen, seed=int(at_s * 5))
        return picture, flickering(camera.rng, [screen])

    visible = camera.play(300, scene)
    assert not any(visible[5 * 90 :])


def test_a_figure_that_turns_makes_nobody_for_long() -> None:
    """A mannequin on a turntable, eight seconds a turn."""
    camera = Camera()
    place = box_at(300, 280, height=140)

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        picture = ROOM.copy()
        put(picture, place, seed=31)
        left, top, right, bottom = (round(side) for side in place)
        wide = patch_turned(at_s / 8)
        picture[top:bottom, left:right] = wide[: bottom - top, : right - left]
        return picture, flickering(camera.rng, [place])

    visible = camera.play(300, scene)
    assert not any(visible[5 * 90 :])


def patch_turned(turns: float) -> np.ndarray:
    around = patch(33, width=400, height=140, dark=0, bright=150)
    return np.roll(around, round(400 * turns), axis=1)


def test_a_poster_that_sways_makes_nobody() -> None:
    """A banner with a person on it, moved by the air."""
    camera = Camera()

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        banner = box_at(300 + 5 * np.sin(3 * at_s), 250)
        picture = ROOM.copy()
        put(picture, banner, seed=40, bright=200)
        return picture, flickering(camera.rng, [banner])

    visible = camera.play(300, scene)
    assert not any(visible[5 * 90 :])


def test_a_trolley_left_behind_is_nobody_in_the_end() -> None:
    """A thing that is brought and stays is somebody's at first, and belongs to the place after five minutes."""
    camera = Camera()
    camera.play(10, lambda _: (ROOM, []))
    trolley, picture = box_at(300, 280, height=100), ROOM.copy()
    put(picture, trolley, seed=60)
    visible = camera.play(400, lambda _: (picture, flickering(camera.rng, [trolley])))
    assert not any(visible[5 * 330 :])


def test_who_leaves_a_place_where_a_thing_stands_is_not_held_by_it() -> None:
    """Somebody stops right before a machine, and goes: nobody is left."""
    camera = Camera()
    machine = MACHINES[0]
    camera.play(10, lambda _: (PLACE, flickering(camera.rng, [machine])))

    def scene(at_s: float) -> tuple[np.ndarray, Found]:
        x = 300 + (min(at_s - 4, 0) + max(at_s - 8, 0)) * 70
        box, picture = box_at(x, 300, height=150), PLACE.copy()
        put(picture, box, seed=9, dark=120, bright=255)
        if 2 < at_s < 10:
            return picture, [(box, 0.5)]
        return picture, flickering(camera.rng, [machine])

    camera.play(14, scene)
    assert not any(camera.play(60, lambda _: (PLACE, flickering(camera.rng, [machine])))[25:])


def test_a_quiet_shop_with_false_boxes_still_rests() -> None:
    """Things that nobody takes for people do not keep the detector awake."""
    camera = Camera(gate=True, noise=1.0)
    camera.play(60, lambda _: (PLACE, [(machine, 0.5) for machine in MACHINES]))
    assert camera.detector.looks < 60
