"""A simulated shop entrance with known truth: the camera of the demo, of tests and of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from edge.simulate.backdrop import Room, paint_counter, paint_room, random_room
from edge.simulate.figures import Figure, Stance, foot_point, pose, random_look
from edge.simulate.perspective import View
from edge.simulate.walkers import Crowd, Walker

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DoorScene", "SceneFrame", "TrueCrossing", "training_picture"]

_LINE_Y_M = 4.1
_ROOM = Room(left_m=-3.6, right_m=3.6, depth_m=8.5, wall_m=3.0, door_m=(-2.3, 2.3), door_height_m=2.5)
_SEEN_SHARE = 0.6  # of a person's box that must lie in the picture for it to be listed
_GRAIN_SHIFT = 32


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """One rendered picture and the people in it."""

    image_bgr: NDArray[np.uint8]  # (height, width, 3)
    boxes_xyxy: NDArray[np.float32]  # (n, 4) pixels, cut to the picture; people mostly inside it
    person_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """A person's foot point (bottom centre of the whole body's box) crosses the line."""

    at_s: float
    person_id: int
    direction: Literal["in", "out"]


class DoorScene:
    """A shop door seen by a camera high on the wall: people walk in and out across `line`.

    A pure function of its arguments: the same seed shows the same people at the same times.
    Half of the people come from the street (in: downwards in the picture), half from the shop.
    People wait rather than hide each other, so the door takes some 43 a minute, whatever is asked for.
    Nobody starts after `last_entry_s`; at most 20 s later the picture is empty.
    """

    def __init__(
        self,
        *,
        seed: int,
        width: int = 640,
        height: int = 480,
        people_per_minute: float = 40.0,
        last_entry_s: float | None = None,
    ) -> None:
        self._view = View.of_angles(
            # The angle of view is set by the height, so that every aspect ratio shows door and floor.
            width=width,
            height=height,
            across_deg=math.degrees(2 * math.atan(width / height * math.tan(math.radians(29.0)))),
            height_m=3.2,
            pitch_deg=39.0,
        )
        self._background, self._inside = paint_room(self._view, _ROOM, np.random.default_rng([seed, 1]))
        # One sheet of sensor noise, of which each frame takes another cut.
        grain = np.random.default_rng([seed, 2]).normal(0, 1.6, (height + _GRAIN_SHIFT, width + _GRAIN_SHIFT, 3))
        self._grain = np.rint(grain).astype(np.int8)
        self._crowd = Crowd(
            seed=seed,
            view=self._view,
            people_per_minute=people_per_minute,
            last_entry_s=last_entry_s,
            line_y_m=_LINE_Y_M,
            room=_ROOM,
        )
        ends, _ = self._view.project(np.array([(-2.9, _LINE_Y_M, 0.0), (2.9, _LINE_Y_M, 0.0)]))
        x1, x2 = (min(max(float(x) / width, 0.02), 0.98) for x in ends[:, 0])
        y = float(ends[0, 1]) / height
        self.line: tuple[float, float, float, float] = (x1, y, x2, y)
        """Relative x1, y1, x2, y2; walking from the first to the second point, "in" goes from the left
        hand to the right hand as seen in the picture: here downwards."""

    def frame(self, at_s: float) -> SceneFrame:
        """Render the scene at a time."""
        image = self._background.copy()
        present = [(walker, pose(walker.look, walker.stance(at_s), self._view)) for walker in self._crowd.present(at_s)]
        present.sort(key=lambda entry: -entry[1].depth_m)
        outside = [entry for entry in present if entry[0].y_at(at_s) > _ROOM.depth_m]
        for _, figure in outside:
            figure.draw_shadow(image)
            figure.draw(image)
        if outside:
            self._restore_wall(image, [figure for _, figure in outside])
        inside = [entry for entry in present if entry[0].y_at(at_s) <= _ROOM.depth_m]
        for _, figure in inside:
            figure.draw_shadow(image)
        for _, figure in inside:
            figure.draw(image)
        seen = [
            (walker.person_id, box)
            for walker, figure in present
            if (box := self._visible(figure, behind_wall=walker.y_at(at_s) > _ROOM.depth_m)) is not None
        ]
        right, down = divmod(round(at_s * 1000) * 7919 % _GRAIN_SHIFT**2, _GRAIN_SHIFT)
        grain = self._grain[down : down + image.shape[0], right : right + image.shape[1]]
        image = np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)
        boxes = np.array([box for _, box in seen], np.float32).reshape(-1, 4)
        return SceneFrame(image, boxes, tuple(person_id for person_id, _ in seen))

    def crossings(self, *, until_s: float) -> tuple[TrueCrossing, ...]:
        """Every crossing of the line at or before a time, in order of time."""
        found = [
            TrueCrossing(at_s, walker.person_id, walker.direction)
            for walker in self._crowd.until(until_s)
            if (at_s := self._crossing_s(walker)) <= until_s
        ]
        return tuple(sorted(found, key=lambda crossing: crossing.at_s))

    def _crossing_s(self, walker: Walker) -> float:
        """When the foot point reaches the line; it only ever moves on, so halving finds it."""
        line_px = self.line[1] * self._view.height
        early, late = walker.time_near(_LINE_Y_M)
        for _ in range(40):
            middle = (early + late) / 2
            below = foot_point(walker.look, walker.stance(middle), self._view)[1] > line_px
            if below == (walker.direction == "in"):
                late = middle
            else:
                early = middle
        return late

    def _restore_wall(self, image: NDArray[np.uint8], figures: list[Figure]) -> None:
        """Put the wall back over those who are still outside, but for the doorway."""
        lowest = max(figure.box_xyxy[3] for figure in figures)
        rows = slice(0, min(max(int(lowest) + 12, 1), self._view.height))
        np.copyto(image[rows], self._background[rows], where=self._inside[rows, :, None])

    def _visible(self, figure: Figure, *, behind_wall: bool) -> tuple[float, float, float, float] | None:
        box = _cut(figure.box_xyxy, self._view.width, self._view.height)
        if _share(box, figure.box_xyxy) < _SEEN_SHARE:
            return None
        if behind_wall:
            x1, y1, x2, y2 = (int(side) for side in box)
            if float(self._inside[y1 : y2 + 1, x1 : x2 + 1].mean()) > 1 - _SEEN_SHARE:
                return None
        return box


def _cut(box: tuple[float, float, float, float], width: int, height: int) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return (min(max(x1, 0.0), width), min(max(y1, 0.0), height), min(max(x2, 0.0), width), min(max(y2, 0.0), height))


def _area(box: tuple[float, float, float, float]) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _share(part: tuple[float, float, float, float], whole: tuple[float, float, float, float]) -> float:
    return _area(part) / max(_area(whole), 1e-9)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Common area as a share of the smaller box."""
    common = (max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]))
    return _area(common) / max(min(_area(one), _area(other)), 1e-9)


def training_picture(rng: np.random.Generator, *, width: int, height: int) -> SceneFrame:
    """Render a random simulated scene (camera, crowd, light, textures) to train the detector with.

    People mostly hidden by others or by furniture are not drawn, so that every box shows its person.
    """
    view = View.of_angles(
        width=width,
        height=height,
        across_deg=float(rng.uniform(55, 100)),
        height_m=float(rng.uniform(2.3, 4.5)),
        pitch_deg=float(rng.uniform(12, 80)),
    )
    room = random_room(rng)
    image, _ = paint_room(view, room, rng)
    furniture: list[tuple[float, NDArray[np.bool_]]] = []
    for _ in range(int(rng.integers(0, 4))):
        x_m, y_m = float(rng.uniform(room.left_m, room.right_m)), float(rng.uniform(1.5, room.depth_m - 1.5))
        furniture.append((y_m, paint_counter(image, view, rng, x_m=x_m, y_m=y_m)))
    light = float(rng.uniform(0.7, 1.15))
    figures: list[Figure] = []
    wanted = 0 if rng.random() < 0.06 else int(rng.integers(1, 14))
    for _ in range(wanted * 3):
        if len(figures) == wanted:
            break
        figure = _random_figure(rng, view, room, light)
        if figure is not None and _fits(figure, figures, furniture, view):
            figures.append(figure)
    figures.sort(key=lambda figure: -figure.depth_m)
    strength = float(rng.uniform(0.1, 0.6))
    for figure in figures:
        figure.draw_shadow(image, strength=strength)
    for figure in figures:
        figure.draw(image)
    if rng.random() < 0.7:  # figures have sharper edges than any lens draws
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.1))), np.uint8)
    noise = rng.integers(-6, 7, image.shape, np.int8)
    image = np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)
    boxes = np.array([_cut(figure.box_xyxy, width, height) for figure in figures], np.float32).reshape(-1, 4)
    return SceneFrame(image, boxes, tuple(range(len(figures))))


def _random_figure(rng: np.random.Generator, view: View, room: Room, light: float) -> Figure | None:
    spot = view.floor_at(float(rng.uniform(0, view.width)), float(rng.uniform(0, view.height * 1.3)))
    if spot is None or not (room.left_m < spot[0] < room.right_m and 0.2 < spot[1] < room.depth_m - 0.2):
        return None
    stance = Stance(
        x_m=spot[0],
        y_m=spot[1],
        heading_rad=float(rng.uniform(0, 2 * math.pi)),
        walked_m=float(rng.uniform(0, 2)),
        stride_m=float(rng.uniform(0.4, 0.75)) if rng.random() < 0.75 else 0.0,
    )
    return pose(random_look(rng), stance, view, light=light)


def _fits(figure: Figure, others: list[Figure], furniture: list[tuple[float, NDArray[np.bool_]]], view: View) -> bool:
    """Enough of the person in the picture, not hidden by the others, not walking through furniture."""
    box = _cut(figure.box_xyxy, view.width, view.height)
    if _share(box, figure.box_xyxy) < 0.35 or box[3] - box[1] < 10:
        return False
    if any(_overlap(box, _cut(other.box_xyxy, view.width, view.height)) > 0.45 for other in others):
        return False
    x1, y1, x2, y2 = (int(side) for side in box)
    return all(float(covered[y1 : y2 + 1, x1 : x2 + 1].mean()) < 0.15 for _, covered in furniture)
