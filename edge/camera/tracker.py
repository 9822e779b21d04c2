"""Who is who from frame to frame, by where people are and how they move; never by what they look like.

Two stages after ByteTrack (Zhang et al., 2022): boxes of a high score are paired first and may begin tracks, boxes of
a low score may only continue one. Time is real: rates from 2 to 15 frames a second, uneven, with gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.camera.association import assign, pair_costs, share_within
from edge.camera.detector import LOW_SCORE, Detections
from edge.camera.kalman import Floats, KalmanBank, to_cxcywh, to_xyxy

__all__ = ["TrackedPerson", "Tracker", "TrackerLimits"]

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]

_COST_LIMIT = 1.8
_DOUBTFUL_COST_LIMIT = 0.9
_DOUBTFUL_OVERLAP = 0.2
_DOUBTFUL_SHARE = 0.45
_DOUBTFUL_AFTER_S = 0.6
"""A box of a low score, but of so much of the threshold, continues a track only where that track is expected, and
only one seen a moment ago: else a chair that is a little like a person holds on to whoever left it."""

_PART_SHARE = 0.5
_PART_PRICE = 3.0
_PART_AGE_S = 1.0
"""A new box of which so much lies within a known person's may be that person's legs: it must bring so much more
evidence, for so long, or come apart."""

_SCORE_MEMORY = 0.7

_MIN_SIDE_PX = 2.0
_EDGE_SHARE = 0.015
"""Detectors end a cut box a few pixels before the picture's edge."""


@dataclass(frozen=True, slots=True)
class TrackerLimits:
    """When a track counts as a person, and how long and how many are remembered."""

    confirm_evidence: float = 1.2
    """Sum of scores. Two good boxes, or three doubtful ones."""
    confirm_age_s: float = 0.15
    """A false alarm lasts a frame or two at 15 frames a second as well."""
    lost_s: float = 1.6
    """How long a confirmed track waits for its person behind a pillar."""
    tentative_misses: int = 1
    max_tracks: int = 200
    max_gap_s: float = 4.0
    """After a longer silence everybody may be somebody else."""


@dataclass(frozen=True, slots=True)
class TrackedPerson:
    """One track after a frame. Its id lives as long as the track and says nothing about the person.

    `box_xyxy` is in pixels of the picture; `foot_xy` is where the person stands, also where the picture's edge cuts
    the box. `score` is smoothed over the last few boxes. `missing_s` is 0 when a box was found in this very frame.
    """

    track_id: int
    box_xyxy: tuple[float, float, float, float]
    foot_xy: tuple[float, float]
    confirmed: bool
    score: float
    missing_s: float
    at_edge: bool

    @property
    def height_px(self) -> float:
        """Height of the box."""
        return self.box_xyxy[3] - self.box_xyxy[1]


_META = np.dtype(
    [
        ("id", np.int64),
        ("born_s", np.float64),
        ("seen_s", np.float64),
        ("evidence", np.float64),
        ("score", np.float64),
        ("misses", np.int64),
        ("confirmed", np.bool_),
        ("edges", np.bool_, (4,)),
        ("whole_wh", np.float64, (2,)),
    ]
)
"""What is remembered of a track beside its filter. `edges`: which sides of the picture cut its box; `whole_wh`: its
size while none did, else not-a-number."""


class Tracker:
    """Follows people through one camera's frames of one size. Memory is bounded by `limits`."""

    def __init__(
        self, *, width_px: int, height_px: int, score_threshold: float, limits: TrackerLimits | None = None
    ) -> None:
        """`score_threshold` is what a box needs to begin a track."""
        self._size = np.array((width_px, height_px), np.float64)
        self._score_threshold = score_threshold
        self._limits = limits or TrackerLimits()
        self._filter = KalmanBank()
        self._meta = np.empty(0, _META)
        self._next_id = 1
        self._now_s: float | None = None
        self.confirmed_total = 0

    def update(self, detections: Detections, *, at_s: float) -> tuple[TrackedPerson, ...]:
        """Take one frame's boxes, seen at `at_s`; return every track still alive, whether seen in this frame or not."""
        at_s = self._advance(at_s)
        if not len(self._meta) and not len(detections):
            return ()
        boxes, scores = self._usable(detections)
        high = scores >= self._score_threshold
        tracks, claimed = self._pair(boxes, high=high, now_s=at_s)
        self._meta["misses"] += 1
        self._see(tracks, boxes[claimed], scores[claimed], at_s)
        high[claimed] = False
        self._begin(boxes[high], scores[high], at_s)
        self._confirm(at_s)
        self._forget()
        return self._people(at_s)

    def _usable(self, detections: Detections) -> tuple[Floats, NDArray[np.float32]]:
        """Centre and size (n, 4) and scores (n,) of the boxes worth a thought."""
        boxes, scores = to_cxcywh(detections.boxes_xyxy), detections.scores
        doubtful = max(LOW_SCORE, _DOUBTFUL_SHARE * self._score_threshold)
        usable = (boxes[:, 2:] >= _MIN_SIDE_PX).all(axis=1) & (scores >= min(doubtful, self._score_threshold))
        return boxes[usable], scores[usable]

    def _advance(self, at_s: float) -> float:
        """Move to `at_s`; the time that is now, which a frame out of order does not turn back."""
        gap_s = 0.0 if self._now_s is None else at_s - self._now_s
        if abs(gap_s) > self._limits.max_gap_s:
            # The stream was away, or the camera's clock jumped: whoever is there now is new.
            self._keep(np.empty(0, np.intp))
            self._now_s = None
        self._now_s = at_s if self._now_s is None else max(at_s, self._now_s)
        self._keep(np.flatnonzero(self._now_s - self._meta["seen_s"] <= self._limits.lost_s))
        if len(self._meta) and gap_s > 0:
            self._filter.predict(gap_s)
        return self._now_s

    def _pair(self, boxes: Floats, *, high: Flags, now_s: float) -> tuple[Rows, Rows]:
        """Rows of tracks and rows of the boxes they claim."""
        tracks, claimed = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        if not len(self._meta) or not len(boxes):
            return tracks[0], claimed[0]
        cost, overlap = pair_costs(self._filter.value, boxes, centre_std=self._filter.centre_std())
        doubtful = np.where(overlap >= _DOUBTFUL_OVERLAP, cost, np.inf)
        waiting = np.ones(len(self._meta), np.bool_)
        recent = now_s - self._meta["seen_s"] <= _DOUBTFUL_AFTER_S
        # Confirmed tracks choose first: a false alarm of a moment ago must not take a person's box away.
        for may, which, price, limit in (
            (self._meta["confirmed"], high, cost, _COST_LIMIT),
            (~self._meta["confirmed"], high, cost, _COST_LIMIT),
            (recent, ~high, doubtful, _DOUBTFUL_COST_LIMIT),
        ):
            rows = np.flatnonzero(may & waiting)
            columns = np.setdiff1d(np.flatnonzero(which), np.concatenate(claimed))
            if len(rows) and len(columns):
                row, column = assign(price[np.ix_(rows, columns)], limit=limit)
                waiting[rows[row]] = False
                tracks.append(rows[row])
                claimed.append(columns[column])
        return np.concatenate(tracks), np.concatenate(claimed)

    def _see(self, rows: Rows, boxes: Floats, scores: NDArray[np.float32], at_s: float) -> None:
        if not len(rows):
            return
        self._filter.update(rows, boxes)
        meta = self._meta
        meta["seen_s"][rows] = at_s
        meta["misses"][rows] = 0
        meta["score"][rows] = _SCORE_MEMORY * meta["score"][rows] + (1 - _SCORE_MEMORY) * scores
        meta["evidence"][rows] += scores
        self._measure(rows, boxes)

    def _begin(self, boxes: Floats, scores: NDArray[np.float32], at_s: float) -> None:
        if not len(scores):
            return
        room = max(0, self._limits.max_tracks - len(self._meta))
        best = np.argsort(-scores, kind="stable")[:room]
        born = np.zeros(len(best), _META)
        born["id"] = self._next_id + np.arange(len(best))
        born["born_s"] = born["seen_s"] = at_s
        born["evidence"] = born["score"] = scores[best]
        born["whole_wh"] = np.nan
        self._next_id += len(best)
        first = len(self._meta)
        self._meta = np.concatenate((self._meta, born))
        self._filter.add(boxes[best])
        self._measure(np.arange(first, len(self._meta)), boxes[best])

    def _measure(self, rows: Rows, boxes: Floats) -> None:
        """Note which sides of the picture cut the boxes, and the size of those that are whole."""
        corners = to_xyxy(boxes)
        margin = _EDGE_SHARE * self._size
        self._meta["edges"][rows] = np.concatenate(
            (corners[:, :2] <= margin, corners[:, 2:] >= self._size - margin), axis=1
        )
        cut = self._meta["edges"][rows]
        whole = ~(cut[:, :2] | cut[:, 2:])
        before = self._meta["whole_wh"][rows]
        smoothed = np.where(np.isnan(before), boxes[:, 2:], 0.8 * before + 0.2 * boxes[:, 2:])
        self._meta["whole_wh"][rows] = np.where(whole, smoothed, before)

    def _confirm(self, at_s: float) -> None:
        meta, limits = self._meta, self._limits
        ready = (
            ~meta["confirmed"]
            & (meta["evidence"] >= limits.confirm_evidence)
            & (at_s - meta["born_s"] >= limits.confirm_age_s)
        )
        if not ready.any():
            return
        proven = (meta["evidence"] >= _PART_PRICE * limits.confirm_evidence) & (at_s - meta["born_s"] >= _PART_AGE_S)
        ready &= proven | ~self._is_part(at_s)
        meta["confirmed"] |= ready
        self.confirmed_total += int(ready.sum())

    def _is_part(self, at_s: float) -> Flags:
        """Which tracks lie for a good share within a confirmed person's box, or a better box of this frame."""
        meta, corners = self._meta, to_xyxy(self._filter.value)
        inside = share_within(corners, corners) >= _PART_SHARE
        seen = meta["seen_s"] == at_s
        larger = np.prod(self._filter.value[:, 2:], axis=1)
        known = seen & meta["confirmed"]
        better = seen[None, :] & (larger[None, :] > larger[:, None])
        np.fill_diagonal(inside, False)
        return np.asarray((inside & (known[None, :] | better)).any(axis=1))

    def _forget(self) -> None:
        meta = self._meta
        centre = self._filter.value[:, :2]
        gone = ((centre < 0) | (centre > self._size)).any(axis=1) & (meta["misses"] > 0)
        doubtful = ~meta["confirmed"] & (meta["misses"] > self._limits.tentative_misses)
        self._keep(np.flatnonzero(~(gone | doubtful)))

    def _keep(self, rows: Rows) -> None:
        if len(rows) < len(self._meta):
            self._meta = self._meta[rows]
            self._filter.keep(rows)

    def _people(self, at_s: float) -> tuple[TrackedPerson, ...]:
        corners = to_xyxy(self._filter.value)
        feet = self._feet(corners)
        meta = self._meta
        cut = meta["edges"].any(axis=1)
        return tuple(
            TrackedPerson(track_id, (x1, y1, x2, y2), (foot_x, foot_y), confirmed, score, at_s - seen_s, at_edge)
            for track_id, (x1, y1, x2, y2), (foot_x, foot_y), confirmed, score, seen_s, at_edge in zip(
                meta["id"].tolist(),
                corners.tolist(),
                feet.tolist(),
                meta["confirmed"].tolist(),
                meta["score"].tolist(),
                meta["seen_s"].tolist(),
                np.asarray(cut).tolist(),
                strict=True,
            )
        )

    def _feet(self, corners: Floats) -> Floats:
        """Bottom centre (n, 2) of the whole person: a box cut by the picture's edge is made up to its earlier size."""
        left, _, right, bottom = self._meta["edges"].T
        whole_w, whole_h = self._meta["whole_wh"].T
        x = (corners[:, 0] + corners[:, 2]) / 2
        x = np.where(right & ~left, np.fmax(x, corners[:, 0] + whole_w / 2), x)
        x = np.where(left & ~right, np.fmin(x, corners[:, 2] - whole_w / 2), x)
        y = np.where(bottom, np.fmax(corners[:, 3], corners[:, 1] + whole_h), corners[:, 3])
        return np.stack((x, y), axis=1)
