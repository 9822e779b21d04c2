"""People taken out of training pictures and set down in others: more scenes from the same people.

A person is taken with a rounded, soft-edged window of his box, not with an outline ("Cut, Paste and Learn", Dwibedi et
al., 2017, found ragged edges to do little harm). So that the soft edge itself tells nothing, pieces of pictures without
anybody are set down the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.train.footfall_data import Picture

__all__ = ["Cutouts"]

_LEAST_HEIGHT_PX = 48
_LEAST_SCORE = 0.6  # of a teacher's box; people's own boxes count as sure
_APART = 0.1  # a person covered by another by more than this is left where he is
_MOST = 4
_EMPTY_SHARE = 0.4  # of what is set down: nobody
_HIDDEN = 0.35  # of anybody's box, at most, by one piece set down


class Cutouts:
    """The people of some pictures who stand free, to be set down elsewhere."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._people = [(picture, box) for picture in pictures for box in _free_people(picture)]
        self._places = [picture for picture in pictures if not len(picture.ignore_xyxy)]

    def __len__(self) -> int:
        return len(self._people)

    def paste(
        self, rng: np.random.Generator, image_bgr: NDArray[np.uint8], people_xyxy: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Set a few down in `image_bgr` (changed in place), none hiding much of anybody; returns all people's boxes."""
        boxes = people_xyxy
        for _ in range(int(rng.integers(1, _MOST + 1))):
            person = self._people[int(rng.integers(len(self)))]
            size = _size(rng, person[1], image_bgr.shape[0])
            empty = rng.random() < _EMPTY_SHARE
            piece = self._empty_piece(rng, size) if empty else _crop(person[0].image_bgr, person[1])
            if piece is None:
                continue
            place = _free_place(rng, size, image_bgr, boxes)
            if place is None:
                continue
            _draw(rng, _sized(rng, piece, size), image_bgr, place)
            if not empty:
                box = np.array([*place, place[0] + size[0], place[1] + size[1]], np.float32)
                boxes = np.concatenate((boxes, box[None]))
        return boxes

    def _empty_piece(self, rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        """A piece of some picture, about of this size, in which nobody is."""
        picture = self._places[int(rng.integers(len(self._places)))] if self._places else None
        if picture is None:
            return None
        high, wide = picture.image_bgr.shape[:2]
        if wide <= size[0] or high <= size[1]:
            return None
        left, top = int(rng.integers(wide - size[0])), int(rng.integers(high - size[1]))
        here = np.array([left, top, left + size[0], top + size[1]], np.float32)
        if len(picture.people_xyxy) and _covered(here, picture.people_xyxy).max() > 0.02:
            return None
        return _crop(picture.image_bgr, here)


def _free_people(picture: Picture) -> list[NDArray[np.float32]]:
    boxes, sure = picture.people_xyxy, picture.scores >= _LEAST_SCORE
    others = np.concatenate((boxes, picture.ignore_xyxy))
    height, width = picture.image_bgr.shape[:2]
    free: list[NDArray[np.float32]] = []
    for index in np.flatnonzero(sure):
        box = boxes[index]
        cut = box[0] < 2 or box[1] < 2 or box[2] > width - 2 or box[3] > height - 2
        covered = np.delete(_covered(box, others), index)
        if not cut and box[3] - box[1] >= _LEAST_HEIGHT_PX and covered.max(initial=0.0) <= _APART:
            free.append(box)
    return free


def _covered(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of `box` that each of `others` covers."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(1) / max(float((box[2:] - box[:2]).prod()), 1e-6), np.float32)


def _crop(image_bgr: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(float(side)) for side in box)
    return image_bgr[top:bottom, left:right]


def _size(rng: np.random.Generator, box: NDArray[np.float32], height: int) -> tuple[int, int]:
    """Width and height for a person of `box` in a picture of `height`; never enlarged much: blur would show."""
    wide, high = float(box[2] - box[0]), float(box[3] - box[1])
    share = float(np.exp(rng.uniform(np.log(0.1), np.log(0.75))))
    scale = min(share * height / high, 1.3)
    return max(4, round(wide * scale * float(np.exp(rng.normal(0.0, 0.1))))), max(8, round(high * scale))


def _sized(rng: np.random.Generator, piece: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if size[1] < piece.shape[0] else cv2.INTER_LINEAR
    sized = np.asarray(cv2.resize(piece, size, interpolation=how), np.uint8)
    return sized[:, ::-1] if rng.random() < 0.5 else sized


def _free_place(
    rng: np.random.Generator, size: tuple[int, int], image_bgr: NDArray[np.uint8], boxes: NDArray[np.float32]
) -> tuple[int, int] | None:
    """Left and top of a place that hides nobody much; None after five tries."""
    free_x, free_y = image_bgr.shape[1] - size[0], image_bgr.shape[0] - size[1]
    if free_x < 1 or free_y < 1:
        return None
    for _ in range(5):
        left, top = int(rng.integers(free_x)), int(rng.integers(free_y))
        here = np.array([[left, top, left + size[0], top + size[1]]], np.float32)
        if max((float(_covered(box, here)[0]) for box in boxes), default=0.0) < _HIDDEN:
            return left, top
    return None


def _draw(
    rng: np.random.Generator, piece: NDArray[np.uint8], image_bgr: NDArray[np.uint8], place: tuple[int, int]
) -> None:
    left, top = place
    high, wide = piece.shape[:2]
    under = image_bgr[top : top + high, left : left + wide]
    # Half the way to the light of the new place.
    gain = ((float(under.mean()) + 20) / (float(piece.mean()) + 20)) ** 0.5
    shown = piece.astype(np.float32) * min(max(gain * float(rng.uniform(0.85, 1.15)), 0.4), 2.0)
    alpha = _window(wide, high)
    under[:] = (shown * alpha + under * (1 - alpha)).clip(0, 255).astype(np.uint8)


def _window(wide: int, high: int) -> NDArray[np.float32]:
    """1 in the middle, 0 at the corners (high, wide, 1): a rounded rectangle with a soft edge."""
    x = np.abs((np.arange(wide, dtype=np.float32) + 0.5) / wide * 2 - 1)
    y = np.abs((np.arange(high, dtype=np.float32) + 0.5) / high * 2 - 1)
    distance = (x[None] ** 3 + y[:, None] ** 5) ** 0.5
    return np.asarray(((1.08 - distance) / 0.16).clip(0, 1)[..., None], np.float32)
