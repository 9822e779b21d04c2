"""Measure a YOLOX-style person detector on COCO folders or simulated scenes: AP50, by size, speed.

Run from the repository's root: `python -m models.train.evaluate_footfall`. Needs no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnxruntime

from edge.simulate.scene import DoorScene, training_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "Detector",
    "Scored",
    "average_precision",
    "best_threshold",
    "main",
    "measure_coco",
    "measure_speed_ms",
    "score_picture",
]

_MATCH_IOU = 0.5
_NMS_IOU = 0.5
_LEAST_SCORE = 0.01
_IGNORED_SHARE = 0.5  # of a detection's area inside one ignore region
_SIZES = {"small": (0.0, 0.15), "middle": (0.15, 0.4), "large": (0.4, 1.01)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A picture with its people and ignore regions, (n, 4) xyxy pixels."""

    image_bgr: NDArray[np.uint8]
    people_xyxy: NDArray[np.float64]
    ignore_xyxy: NDArray[np.float64]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one picture adds to a precision-recall curve."""

    scores: NDArray[np.float64]
    correct: NDArray[np.bool_]
    people: int


class Detector:
    """A YOLOX-format ONNX model on one thread: BGR pixels in, person boxes and scores out."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        entry = self._session.get_inputs()[0]
        self._name: str = entry.name
        self.height, self.width = int(entry.shape[2]), int(entry.shape[3])
        self._cells = _cells(self.width, self.height)
        self.inference_s = 0.0

    def detect(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Boxes (n, 4) xyxy in the picture's pixels and scores (n,), best first, after suppression."""
        ratio = min(self.width / image_bgr.shape[1], self.height / image_bgr.shape[0])
        size = (round(image_bgr.shape[1] * ratio), round(image_bgr.shape[0] * ratio))
        canvas = np.full((self.height, self.width, 3), 114, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR)
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        started = time.perf_counter()
        raw = np.asarray(self._session.run(None, {self._name: tensor})[0])[0].astype(np.float64)
        self.inference_s += time.perf_counter() - started
        scores = raw[:, 4] * raw[:, 5]
        keep = scores >= _LEAST_SCORE
        raw, scores, cells = raw[keep], scores[keep], self._cells[keep]
        middle = (raw[:, :2] + cells[:, :2]) * cells[:, 2:]
        half = np.exp(raw[:, 2:4]) * cells[:, 2:] / 2
        boxes = np.concatenate((middle - half, middle + half), 1) / ratio
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, image_bgr.shape[1])
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, image_bgr.shape[0])
        kept = _suppress(boxes, scores)
        return boxes[kept], scores[kept]


def _cells(width: int, height: int) -> NDArray[np.float64]:
    """Column, row, stride of every output row."""
    tables: list[NDArray[np.float64]] = []
    for stride in (8, 16, 32):
        row, column = np.mgrid[: height // stride, : width // stride]
        tables.append(np.stack((column, row, np.full_like(row, stride)), -1).reshape(-1, 3).astype(np.float64))
    return np.concatenate(tables)


def _overlaps(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection areas (n, m) of two sets of xyxy boxes."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0.0).prod(-1), np.float64)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(1), np.float64)


def _ious(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    common = _overlaps(one, other)
    return common / np.maximum(_areas(one)[:, None] + _areas(other)[None] - common, 1e-9)


def _suppress(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.intp]:
    order = np.argsort(-scores, kind="stable")
    ious = _ious(boxes, boxes)
    kept: list[int] = []
    for index in order:
        if not kept or float(ious[index, kept].max()) <= _NMS_IOU:
            kept.append(int(index))
    return np.array(kept, np.intp)


def score_picture(
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    *,
    people_xyxy: NDArray[np.float64],
    ignore_xyxy: NDArray[np.float64],
    counted: NDArray[np.bool_],
    countable: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> Scored:
    """Match detections, best first, each to the free person it overlaps most (IoU at least 0.5).

    Dropped, neither right nor wrong: what lies half in an ignore region, what matches a person not
    `counted`, and what matches nobody and is not `countable` (of another size).
    """
    free = np.ones(len(people_xyxy), bool)
    ious = _ious(boxes, people_xyxy)
    in_ignored = np.zeros(len(boxes), bool)
    if len(ignore_xyxy):
        share = _overlaps(boxes, ignore_xyxy) / np.maximum(_areas(boxes)[:, None], 1e-9)
        in_ignored = share.max(1) >= _IGNORED_SHARE
    allowed = np.ones(len(boxes), bool) if countable is None else countable(boxes)
    kept: list[int] = []
    correct: list[bool] = []
    for index in np.argsort(-scores, kind="stable"):
        candidates = np.where(free, ious[index], -1.0)
        best = int(candidates.argmax()) if len(candidates) else -1
        if best >= 0 and candidates[best] >= _MATCH_IOU:
            free[best] = False
            if counted[best]:
                kept.append(int(index))
                correct.append(True)
        elif not in_ignored[index] and allowed[index]:
            kept.append(int(index))
            correct.append(False)
    return Scored(scores=scores[kept], correct=np.array(correct, bool), people=int(counted.sum()))


def _curve(pictures: Sequence[Scored]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Scores falling, precision and recall at each."""
    scores = np.concatenate([picture.scores for picture in pictures])
    correct = np.concatenate([picture.correct for picture in pictures])
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(correct[order])
    people = max(sum(picture.people for picture in pictures), 1)
    return scores[order], right / np.arange(1, len(right) + 1), right / people


def average_precision(pictures: Sequence[Scored]) -> float:
    """Area under the precision-recall curve, precision made non-increasing (PASCAL VOC 2010)."""
    _, precision, recall = _curve(pictures)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())


def best_threshold(pictures: Sequence[Scored]) -> tuple[float, float]:
    """The score threshold with the best F1, and that F1."""
    scores, precision, recall = _curve(pictures)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    return float(scores[best]), float(f1[best])


def _at_threshold(pictures: Sequence[Scored], threshold: float) -> tuple[float, float]:
    """Precision and recall when only scores of at least `threshold` count; zeros when none does."""
    scores, precision, recall = _curve(pictures)
    count = int((scores >= threshold).sum())
    return (float(precision[count - 1]), float(recall[count - 1])) if count else (0.0, 0.0)


def _coco(folder: Path, scenes: Sequence[str]) -> Iterator[Labelled]:
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    people: dict[int, list[list[float]]] = {}
    ignore: dict[int, list[list[float]]] = {}
    for annotation in content["annotations"]:
        left, top, width, height = annotation["bbox"]
        boxes = ignore if annotation.get("iscrowd") else people
        boxes.setdefault(annotation["image_id"], []).append([left, top, left + width, top + height])
    for entry in content["images"]:
        if scenes and entry.get("scene") not in scenes:
            continue
        image = cv2.imread(str(folder / "images" / entry["file_name"]), cv2.IMREAD_COLOR)
        if image is None:
            msg = f"cannot read picture {entry['file_name']} of {folder}"
            raise FileNotFoundError(msg)
        groups = tuple(f"{key} {entry[key]}" for key in ("view", "scene") if entry.get(key))
        yield Labelled(
            image_bgr=np.asarray(image, np.uint8),
            people_xyxy=np.asarray(people.get(entry["id"], []), np.float64).reshape(-1, 4),
            ignore_xyxy=np.asarray(ignore.get(entry["id"], []), np.float64).reshape(-1, 4),
            groups=groups,
        )


def _simulated(count: int, seed: int) -> Iterator[Labelled]:
    for index in range(count):
        scene = training_picture(np.random.default_rng([seed, 11, index]), width=640, height=480)
        boxes = scene.boxes_xyxy.astype(np.float64)
        yield Labelled(
            image_bgr=scene.image_bgr, people_xyxy=boxes, ignore_xyxy=np.zeros((0, 4)), groups=("simulated",)
        )


def _door(count: int, seed: int) -> Iterator[Labelled]:
    scene = DoorScene(seed=seed)
    for index in range(count):
        frame = scene.frame(10.0 + index * 0.6)
        boxes = frame.boxes_xyxy.astype(np.float64)
        edge = np.array([[0, 0, 640, 40], [0, 440, 640, 480]], np.float64)  # people half out of the picture
        yield Labelled(image_bgr=frame.image_bgr, people_xyxy=boxes, ignore_xyxy=edge, groups=("door",))


def _print_results(name: str, results: dict[str, list[Scored]], threshold: float) -> None:
    for group, pictures in results.items():
        people = sum(picture.people for picture in pictures)
        if not people or not sum(len(picture.scores) for picture in pictures):
            continue
        best, f1 = best_threshold(pictures)
        precision, recall = _at_threshold(pictures, threshold)
        print(
            f"{name} | {group}: pictures {len(pictures)} people {people} AP50 {average_precision(pictures):.3f}"
            f" | at {threshold:.2f}: precision {precision:.3f} recall {recall:.3f}"
            f" | best F1 {f1:.3f} at {best:.2f}"
        )


def _measure(detector: Detector, pictures: Iterator[Labelled]) -> dict[str, list[Scored]]:
    results: dict[str, list[Scored]] = {"all": []}
    for picture in pictures:
        boxes, scores = detector.detect(picture.image_bgr)
        sizes = {f"{size} ({low:.2f}-{high:.2f} of the height)": (low, high) for size, (low, high) in _SIZES.items()}
        everything = dict.fromkeys(("all", *picture.groups), (-1.0, 2.0))
        for group, (low, high) in {**everything, **sizes}.items():
            sized = partial(_of_size, low_px=low * len(picture.image_bgr), high_px=high * len(picture.image_bgr))
            scored = score_picture(
                boxes,
                scores,
                people_xyxy=picture.people_xyxy,
                ignore_xyxy=picture.ignore_xyxy,
                counted=sized(picture.people_xyxy),
                countable=sized,
            )
            results.setdefault(group, []).append(scored)
    return results


def _of_size(boxes: NDArray[np.float64], *, low_px: float, high_px: float) -> NDArray[np.bool_]:
    height = boxes[:, 3] - boxes[:, 1]
    return np.asarray((height >= low_px) & (height < high_px), bool)


def measure_coco(detector: Detector, folder: Path, *, scenes: Sequence[str] = ()) -> dict[str, list[Scored]]:
    """Score a COCO folder (or some of its scenes): results of all pictures, by view, scene and size."""
    return _measure(detector, _coco(folder, scenes))


def measure_speed_ms(detector: Detector) -> tuple[float, float]:
    """Median milliseconds of 200 pictures of 640x480: letterbox to suppression, and the network alone."""
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    for _ in range(20):
        detector.detect(image)
    spent: list[float] = []
    inferred: list[float] = []
    for _ in range(200):
        detector.inference_s = 0.0
        started = time.perf_counter()
        detector.detect(image)
        spent.append(time.perf_counter() - started)
        inferred.append(detector.inference_s)
    return float(np.median(spent)) * 1000, float(np.median(inferred)) * 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/footfall.onnx"))
    parser.add_argument("--images-root", action="append", type=Path, help="COCO folder; may be repeated")
    parser.add_argument("--scene", action="append", default=[], help="only this scene; may be repeated")
    parser.add_argument("--simulated", type=int, default=0, help="also so many random simulated scenes")
    parser.add_argument("--door", type=int, default=0, help="also so many frames of the simulated door")
    parser.add_argument("--seed", type=int, default=1001, help="of the simulated scenes; training uses 1")
    parser.add_argument("--threshold", type=float, default=0.35)
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args(arguments)
    detector = Detector(given.model)
    roots: list[Path] = given.images_root or []
    if not roots and not (given.simulated or given.door or given.speed):
        roots = [Path("../shared/data/footfall/licensed/val")]
    for root in roots:
        name = "/".join(root.parts[-2:])
        _print_results(name, measure_coco(detector, root, scenes=given.scene), given.threshold)
    if given.simulated:
        _print_results("simulated", _measure(detector, _simulated(given.simulated, given.seed)), given.threshold)
    if given.door:
        _print_results("door", _measure(detector, _door(given.door, given.seed)), given.threshold)
    if given.speed:
        whole, network = measure_speed_ms(detector)
        print(f"speed: {whole:.1f} ms a picture of 640x480 on one thread, of it the network {network:.1f} ms")


if __name__ == "__main__":
    main()
