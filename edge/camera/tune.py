"""A score threshold for one camera, found from what the camera itself has seen.

Without labels a fixed camera still knows something of its boxes: those of a track that walked through the picture were
people; things that never moved, and what flickered for a moment, were not. What is neither is not judged. Somebody who
never moves is taken for a thing here, and whoever was not found at the lowest score is not missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor, hypot, inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.camera.detector import LOW_SCORE, Detections
from edge.camera.evaluate import Match, best_threshold, precision_recall
from edge.camera.floor import Floor
from edge.camera.tracker import TrackedPerson, Tracker
from edge.clock import from_epoch_s
from edge.errors import ThresholdError
from edge.facts import Crossing
from edge.settings import CameraSettings

__all__ = [
    "LEAST_WALKS",
    "SLACK",
    "Advice",
    "Counts",
    "Look",
    "Sight",
    "Sorted",
    "advise",
    "advise_for",
    "count_at",
    "sort_boxes",
]

LEAST_WALKS = 20
"""Fewer people say too little about a camera."""

WALK_HEIGHTS = 1.0
WALK_S = 1.0
WALK_LOOKS = 4
SEEN_SHARE = 0.5
STEP_SHARE = 0.6
"""A walk is at least so far (in the person's own heights) and so long, seen in half of its pictures, and no single leap."""

STILL_HEIGHTS = 0.4
STILL_S = 4.0
FLICKER_S = 0.5
"""A thing stays within so little for so long; a flicker is gone after so little."""

SLACK = 0.01
"""Without labels a gain of less is no reason to change anything: the curve is flat, and its top a matter of luck."""

_SAME_BOX = 0.5
_STEPS = 100
_GRID = tuple(step / _STEPS for step in range(round(LOW_SCORE * _STEPS), 91))

Kind = Literal["walked", "still", "flickered", "unclear"]


@dataclass(frozen=True, slots=True)
class Look:
    """One picture's time in seconds, and every box found in it down to `LOW_SCORE`."""

    at_s: float
    found: Detections


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera has seen: boxes only, in pixels of pictures of one size, in order of time."""

    width_px: int
    height_px: int
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every picture's boxes with what their tracks say of them, and how many tracks were of each kind.

    `matches` leave out the boxes of tracks that are unclear; their `people` are those on a walk, found in it or not.
    """

    matches: tuple[Match, ...]
    tracks: dict[Kind, int]
    boxes: int
    boxes_judged: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What tracker and lines make of a sight at one threshold."""

    people: int
    lines: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Advice:
    """A threshold, and the F1 it and the present one reach on what was judged."""

    threshold_now: float
    threshold: float
    f1_now: float
    f1: float


@dataclass(slots=True)
class _Trail:
    """One track: which box of which picture it claimed, and where its feet were, in order of time."""

    boxes: list[tuple[int, int]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    feet: list[tuple[float, float]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    confirmed: bool = False

    def add(self, picture: int, box: int, person: TrackedPerson, at_s: float) -> None:
        self.boxes.append((picture, box))
        self.times.append(at_s)
        self.feet.append(person.foot_xy)
        self.heights.append(person.height_px)
        self.confirmed = self.confirmed or person.confirmed

    def kind(self) -> Kind:
        lasted_s, span, leap = self.times[-1] - self.times[0], self._span(), self._leap()
        pictures = self.boxes[-1][0] - self.boxes[0][0] + 1
        steady = len(self.boxes) >= max(WALK_LOOKS, SEEN_SHARE * pictures)
        if self.confirmed and steady and lasted_s >= WALK_S and span >= WALK_HEIGHTS and leap <= STEP_SHARE * span:
            return "walked"
        if lasted_s >= STILL_S and span <= STILL_HEIGHTS:
            return "still"
        return "flickered" if lasted_s <= FLICKER_S or len(self.boxes) < 3 else "unclear"

    def _span(self) -> float:
        """How far from where it began it came, in its own heights."""
        (x, y), height = self.feet[0], float(np.median(self.heights))
        return max(hypot(one[0] - x, one[1] - y) for one in self.feet) / max(height, 1.0)

    def _leap(self) -> float:
        """Its longest single step, in its own heights."""
        height = max(float(np.median(self.heights)), 1.0)
        return max((hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(self.feet)), default=0.0) / height


def sort_boxes(sight: Sight) -> Sorted:
    """Track all boxes, however doubtful, and say of each track's what its way says."""
    trails = _trails(sight)
    kinds = {track_id: trail.kind() for track_id, trail in trails.items()}
    truth: list[NDArray[np.int8]] = [np.zeros(len(look.found), np.int8) for look in sight.looks]
    people = np.zeros(len(sight.looks), int)
    for track_id, trail in trails.items():
        kind = kinds[track_id]
        for picture, box in trail.boxes:
            truth[picture][box] = {"walked": 1, "unclear": 0}.get(kind, -1)
        if kind == "walked":
            people[trail.boxes[0][0] : trail.boxes[-1][0] + 1] += 1
    tracks: dict[Kind, int] = {"walked": 0, "still": 0, "flickered": 0, "unclear": 0}
    for kind in kinds.values():
        tracks[kind] += 1
    matches = tuple(_match(look, one, int(n)) for look, one, n in zip(sight.looks, truth, people, strict=True))
    boxes = sum(len(look.found) for look in sight.looks)
    return Sorted(matches, tracks, boxes, sum(len(match.scores) for match in matches))


def advise(matches: Sequence[Match], *, threshold_now: float, slack: float = 0.0) -> Advice:
    """The threshold with the best F1; with `slack`, the nearest to the present one that is at most so much worse.

    Raises:
        ThresholdError: nobody was found at all.
    """
    best = best_threshold(matches)
    if best is None or not any(match.people for match in matches):
        raise ThresholdError("tune camera", "nobody was found at all", "let it see people")
    enough = best[1] - slack
    if slack and _f1(matches, threshold_now) >= enough:
        return _advice(matches, threshold_now, threshold_now)
    # The least score of the best cut decides in the last digit: two are as many as a camera can tell.
    reached = {max(LOW_SCORE, floor(best[0] * _STEPS) / _STEPS)}
    if slack:
        reached |= {one for one in _GRID if _f1(matches, one) >= enough}
    return _advice(matches, threshold_now, min(reached, key=lambda one: abs(one - threshold_now)))


def advise_for(people: int, sight: Sight, matches: Sequence[Match], *, threshold_now: float) -> Advice:
    """Of the thresholds whose tracks in `sight` come nearest to `people`, somebody's own count, the one with the best F1."""
    camera = CameraSettings(id="tuned", zone="tuned")
    missed = {one: abs(count_at(sight, camera, threshold=one).people - people) for one in _GRID[::2]}
    return _advice(matches, threshold_now, max(missed, key=lambda one: (-missed[one], _f1(matches, one))))


def _advice(matches: Sequence[Match], now: float, proposed: float) -> Advice:
    return Advice(now, proposed, _f1(matches, now), _f1(matches, proposed))


def count_at(sight: Sight, camera: CameraSettings, *, threshold: float) -> Counts:
    """What the gateway's tracker and lines count with `threshold`, from boxes alone."""
    tracker = Tracker(width_px=sight.width_px, height_px=sight.height_px, score_threshold=threshold)
    ground = Floor(camera, width_px=sight.width_px, height_px=sight.height_px)
    lines = {line.name: {"in": 0, "out": 0} for line in camera.lines}
    for fact in _facts(sight, tracker, ground):
        if isinstance(fact, Crossing):
            lines[fact.line][fact.direction] += 1
    return Counts(tracker.confirmed_total, {name: (ways["in"], ways["out"]) for name, ways in lines.items()})


def _facts(sight: Sight, tracker: Tracker, ground: Floor) -> Iterator[object]:
    at_s = 0.0
    for look in sight.looks:
        at_s = look.at_s
        yield from ground.facts(tracker.update(look.found, at_s=at_s), from_epoch_s(at_s))
    yield from ground.finish(from_epoch_s(at_s))


def _trails(sight: Sight) -> dict[int, _Trail]:
    tracker = Tracker(width_px=sight.width_px, height_px=sight.height_px, score_threshold=LOW_SCORE)
    trails: dict[int, _Trail] = {}
    for picture, look in enumerate(sight.looks):
        seen = [one for one in tracker.update(look.found, at_s=look.at_s) if one.missing_s == 0]
        for person, box in _claims(seen, look.found):
            trails.setdefault(person.track_id, _Trail()).add(picture, box, person, look.at_s)
    return trails


def _claims(people: Sequence[TrackedPerson], found: Detections) -> Iterator[tuple[TrackedPerson, int]]:
    """Tracks with the boxes they were seen by, best overlap first; each box once."""
    if not people or not len(found):
        return
    tracked = np.array([one.box_xyxy for one in people], np.float64)
    overlaps = _ious(tracked, found.boxes_xyxy.astype(np.float64))
    while overlaps.max() >= _SAME_BOX:
        person, box = (int(index) for index in np.unravel_index(int(overlaps.argmax()), overlaps.shape))
        overlaps[person, :] = overlaps[:, box] = -inf
        yield people[person], box


def _ious(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-12), np.float64)


def _match(look: Look, truth: NDArray[np.int8], people: int) -> Match:
    judged = truth != 0
    return Match(look.found.scores[judged].astype(np.float64), truth[judged] > 0, people)


def _f1(matches: Sequence[Match], threshold: float) -> float:
    precision, recall = precision_recall(matches, threshold=threshold)
    if not precision or not recall:
        return 0.0
    return 2 * precision * recall / (precision + recall)
