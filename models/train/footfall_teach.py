"""Ask a teacher, patiently, where people are: whole pictures, mirrored, and enlarged quarter by quarter.

One look at a picture is how the teacher is used in a shop; ten looks find smaller people and agree on fewer chairs.
`python -m models.train.footfall_teach --models DIR --model NAME` writes one file that `models.train.footfall` reads.
The teacher is any model of a manifest (`threshold models add`); only its boxes are used, never its weights.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge.camera.detector import Detections, Detector
from edge.models import load_model
from models.train.footfall_data import ROOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["main", "taught"]

_TILE = 0.6
"""A tile's share of each side: four of them overlap by a fifth of the picture."""

_SAME = 0.55
_CUT_PX = 3.0


class _View(NamedTuple):
    """A part of the picture, in its pixels, and whether it is shown mirrored."""

    left: int
    top: int
    right: int
    bottom: int
    mirrored: bool
    whole: bool


def taught(detector: Detector, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """People of a picture as (n, 5) rows of x1, y1, x2, y2, score; a score is the mean of what each look gave."""
    height, width = image_bgr.shape[:2]
    views = list(_views(width, height))
    seen = [_look(detector, image_bgr, view) for view in views]
    boxes = np.concatenate([found.boxes_xyxy for found in seen])
    scores = np.concatenate([found.scores for found in seen])
    source = np.concatenate([np.full(len(found), index) for index, found in enumerate(seen)])
    people: list[NDArray[np.float32]] = []
    free = np.ones(len(boxes), bool)
    for first in np.argsort(-scores, kind="stable"):
        if not free[first]:
            continue
        group = np.flatnonzero(free & (_iou(boxes[first], boxes) >= _SAME))
        free[group] = False
        middle = np.average(boxes[group], axis=0, weights=scores[group])
        best = [scores[group[source[group] == index]].max(initial=0.0) for index in range(len(views))]
        people.append(np.append(middle, _agreement(middle, views, best)).astype(np.float32))
    return np.stack(people) if people else np.empty((0, 5), np.float32)


def _views(width: int, height: int) -> Iterator[_View]:
    tile_w, tile_h = round(width * _TILE), round(height * _TILE)
    for mirrored in (False, True):
        yield _View(0, 0, width, height, mirrored, whole=True)
        for left in (0, width - tile_w):
            for top in (0, height - tile_h):
                yield _View(left, top, left + tile_w, top + tile_h, mirrored, whole=False)


def _look(detector: Detector, image_bgr: NDArray[np.uint8], view: _View) -> Detections:
    """What the teacher finds in a view, in the picture's pixels, without boxes that a tile's edge cuts."""
    part = image_bgr[view.top : view.bottom, view.left : view.right]
    shown = np.ascontiguousarray(part[:, ::-1] if view.mirrored else part)
    if not view.whole:  # the teacher scales small pictures up itself, but roughly
        shown = np.asarray(cv2.resize(shown, None, fx=1 / _TILE, fy=1 / _TILE, interpolation=cv2.INTER_CUBIC))
    found = detector.detect(shown)
    boxes = found.boxes_xyxy * (part.shape[1] / shown.shape[1])
    if view.mirrored:
        boxes[:, [0, 2]] = part.shape[1] - boxes[:, [2, 0]]
    boxes += np.array([view.left, view.top] * 2, np.float32)
    keep = _whole_in(boxes, view, image_bgr.shape[1], image_bgr.shape[0])
    return Detections(boxes[keep], found.scores[keep])


def _whole_in(boxes: NDArray[np.float32], view: _View, width: int, height: int) -> NDArray[np.bool_]:
    inside = np.ones(len(boxes), bool)
    if view.left > 0:
        inside &= boxes[:, 0] > view.left + _CUT_PX
    if view.top > 0:
        inside &= boxes[:, 1] > view.top + _CUT_PX
    if view.right < width:
        inside &= boxes[:, 2] < view.right - _CUT_PX
    if view.bottom < height:
        inside &= boxes[:, 3] < view.bottom - _CUT_PX
    return inside


def _agreement(box: NDArray[np.float32], views: Sequence[_View], best: Sequence[float]) -> float:
    """The larger of two means: over the looks at the whole picture, and over the tiles that hold the whole box."""
    whole = [score for view, score in zip(views, best, strict=True) if view.whole]
    width, height = views[0].right, views[0].bottom
    tiles = [
        score
        for view, score in zip(views, best, strict=True)
        if not view.whole and _whole_in(box[None], view, width, height).all() and _iou_share(box, view) > 0.99
    ]
    return max(float(np.mean(whole)), float(np.mean(tiles)) if tiles else 0.0)


def _iou_share(box: NDArray[np.float32], view: _View) -> float:
    """The share of a box that lies in a view."""
    wide = min(box[2], view.right) - max(box[0], view.left)
    high = min(box[3], view.bottom) - max(box[1], view.top)
    return float(max(wide, 0) * max(high, 0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6))


def _iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low, 0).prod(1)
    both = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - shared
    return np.asarray(shared / np.maximum(both, 1e-6), np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, look at every picture, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder with the teacher's manifest")
    parser.add_argument("--model", default="yardstick")
    parser.add_argument("--images-root", action="append", type=Path, help="COCO folder; may be repeated")
    parser.add_argument("--out", type=Path, default=Path(".train/taught.json"))
    given = parser.parse_args(arguments)
    detector = Detector(load_model(given.model, given.models), threads=2)
    people: dict[str, list[list[float]]] = {}
    for root in given.images_root or ROOTS:
        for path in sorted((root / "images").iterdir()):
            image_bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image_bgr is None:
                message = f"cannot read the picture {path}: remove it, or name another --images-root"
                raise FileNotFoundError(message)
            rows = taught(detector, np.asarray(image_bgr, np.uint8))
            people[path.name] = [[round(float(value), 3) for value in row] for row in rows]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"teacher": detector.spec.sha256, "people": people}), encoding="utf-8")
    print(f"{len(people)} pictures, {sum(map(len, people.values()))} boxes, wrote {given.out}")


if __name__ == "__main__":
    main()
