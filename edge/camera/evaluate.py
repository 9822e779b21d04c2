"""How good a detector is: its boxes held against people's labels, as COCO's own evaluation does.

Matching, ignore regions and the average over 101 recalls follow `pycocotools` (COCOeval, `maxDets` 100), so that a figure
here is the figure anybody else would get.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.camera.coco import LabelledPicture
from edge.camera.detector import Detections

__all__ = [
    "IOUS",
    "LEAST_SCORE",
    "Figures",
    "Match",
    "average_precision",
    "best_threshold",
    "figures",
    "match",
    "match_at_all",
    "precision_recall",
]

Boxes = NDArray[np.float64]
Within = Callable[[Boxes], NDArray[np.bool_]]

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The overlaps that COCO's AP is the mean over; the first is AP50's."""

LEAST_SCORE = 0.01
"""Boxes down to this score belong to the curve; a detector asked for fewer would end it early."""

_MAX_BOXES = 100
_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Match:
    """One picture at one overlap: each judged box's score and whether it is a person, and how many people there are."""

    scores: NDArray[np.float64]
    correct: NDArray[np.bool_]
    people: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a detector reached on `n` pictures with `people` in them; None where there is nothing to divide by."""

    ap50: float | None
    ap: float | None
    recall: float | None
    precision: float | None
    n: int
    people: int


def match(found: Detections, truth: LabelledPicture, *, iou: float, within: Within | None = None) -> Match:
    """Give each box, best first, to the free person it overlaps most, if by at least `iou`.

    Neither right nor wrong is a box that lies in an ignore region by a share of `iou`, or belongs to a person not `within`;
    nor one that nobody claims and that is not `within` itself. With no `within` everybody counts.
    """
    order = np.argsort(-found.scores, kind="stable")[:_MAX_BOXES]
    boxes = found.boxes_xyxy[order].astype(np.float64)
    counted = _judge(within, truth.people_xyxy)
    given = _given(_ious(boxes, truth.people_xyxy), counted, iou=iou)
    nobody = given < 0
    beside = _share_inside(boxes, truth.ignore_xyxy) >= iou
    dropped = nobody & (beside | ~_judge(within, boxes))
    if len(counted):
        dropped |= ~nobody & ~counted[given]
    scores = found.scores[order].astype(np.float64)
    return Match(scores[~dropped], ~nobody[~dropped], int(counted.sum()))


def match_at_all(found: Detections, truth: LabelledPicture, *, within: Within | None = None) -> tuple[Match, ...]:
    """`match` at each of `IOUS`."""
    return tuple(match(found, truth, iou=iou, within=within) for iou in IOUS)


def _judge(within: Within | None, boxes: Boxes) -> NDArray[np.bool_]:
    return np.ones(len(boxes), bool) if within is None else within(boxes)


def _given(ious: Boxes, counted: NDArray[np.bool_], *, iou: float) -> NDArray[np.intp]:
    """The person each box goes to, or -1; those who count are tried before those who do not."""
    given = np.full(len(ious), -1, np.intp)
    free = np.ones(ious.shape[1], bool)
    for box, overlaps in enumerate(ious):
        for group in (counted, ~counted):
            open_to = np.where(free & group, overlaps, -1.0)
            if len(open_to) and open_to.max() >= iou:
                given[box] = int(open_to.argmax())
                free[given[box]] = False
                break
    return given


def _areas(boxes: Boxes) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float64)


def _shared(one: Boxes, other: Boxes) -> Boxes:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0.0).prod(axis=2), np.float64)


def _ious(one: Boxes, other: Boxes) -> Boxes:
    shared = _shared(one, other)
    return shared / np.maximum(_areas(one)[:, None] + _areas(other)[None] - shared, 1e-12)


def _share_inside(boxes: Boxes, regions: Boxes) -> NDArray[np.float64]:
    """How much of each box lies in the one region that covers it best."""
    share = _shared(boxes, regions) / np.maximum(_areas(boxes)[:, None], 1e-12)
    return np.asarray(share.max(axis=1, initial=0.0), np.float64)


def _curve(matches: Sequence[Match]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Scores falling, with the precision and recall of all boxes down to each."""
    scores = np.concatenate([np.empty(0), *(one.scores for one in matches)])
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(np.concatenate([np.empty(0, bool), *(one.correct for one in matches)])[order])
    people = max(sum(one.people for one in matches), 1)
    return scores[order], right / np.arange(1, len(order) + 1), right / people


def average_precision(matches: Sequence[Match]) -> float | None:
    """The mean of precision over 101 recalls, each the best at that recall or more; None where there is nobody."""
    if not any(one.people for one in matches):
        return None
    _, precision, recall = _curve(matches)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(recall, _RECALLS, side="left")].mean())


def precision_recall(matches: Sequence[Match], *, threshold: float) -> tuple[float | None, float | None]:
    """Precision and recall of the boxes of at least `threshold`; None where there is no box, or nobody."""
    scores, precision, recall = _curve(matches)
    count = int((scores >= threshold).sum())
    people = any(one.people for one in matches)
    if not count:
        return None, 0.0 if people else None
    return float(precision[count - 1]), float(recall[count - 1]) if people else None


def best_threshold(matches: Sequence[Match]) -> tuple[float, float] | None:
    """The score threshold with the best F1, and that F1; None where nothing was found."""
    scores, precision, recall = _curve(matches)
    if not len(scores):
        return None
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(f1.argmax())
    return float(scores[best]), float(f1[best])


def figures(pictures: Sequence[tuple[Match, ...]], *, threshold: float) -> Figures:
    """The figures of pictures matched at all of `IOUS`; `threshold` is the score at which precision and recall are read."""
    at_iou = [[picture[index] for picture in pictures] for index in range(len(IOUS))]
    averages = [average_precision(matches) for matches in at_iou]
    known = [average for average in averages if average is not None]
    precision, recall = precision_recall(at_iou[0], threshold=threshold)
    people = sum(one.people for one in at_iou[0])
    mean = float(np.mean(known)) if known else None
    return Figures(averages[0], mean, recall, precision, len(pictures), people)
