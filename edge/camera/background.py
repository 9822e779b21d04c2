"""What a fixed camera sees when nobody is there: a second witness of whom the detector finds.

One tiny grey picture of the place as it is without people, learnt all the time, and when each of its cells last
changed. Where a box shows what has always been there, it is a thing that looks like somebody; where it shows something
else, somebody came. Light that changes is told from somebody by the structure: it leaves the place's own pattern.
Kept in memory only, and anew after a start.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, nan

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.detector import Detections
from edge.camera.thumbnail import THUMBNAIL_WH, thumbnail
from edge.camera.tracks import PLAIN_SHARE, STANDS_OUT_SHARE, TrackedPerson

__all__ = ["DOUBT_SHARE", "Background"]

Box = tuple[float, float, float, float]
Cells = tuple[slice, slice]
Grey = NDArray[np.uint8]
Bounds = tuple[Grey, Grey]
"""The darkest and the brightest that each cell shows while the camera sways by a cell."""

DIFFERENT_GREY = 12
"""A cell that is so far from the empty place shows something else. Sensor noise and JPEG leave it within 4."""

STIR_GREY, STIR_S, STIR_SHARE = 8, 0.2, 0.1
"""A cell that changed so much within that time shows something that moves; a box of which so much moved is alive."""

ALIVE_S = 1.0

SAME_PATTERN = 0.75
"""Correlation of a box with the empty place from which on it is the same place in another light, or in a shadow."""

PATTERN_GREY = 4.0
"""Standard deviation that a pattern must have to be compared."""

LEARN_EVERY_S = 1.0
LEARN_GREY_S = 1.0
"""Grey levels a second: a trolley that is left behind belongs to the place after a minute."""

LONGEST_GAP_S = 60.0

RESTLESS_S, RESTLESS_SHARE = 10.0, 0.3
"""A cell that moves in so much of the time (a screen, a flag, leaves) says nothing of people."""

NEW_SCENE_SHARE = 0.6
"""Once so many cells differ, the light was switched or the camera turned: the place is learnt anew."""

LIFELESS_S = 120.0
"""Nobody stands for two minutes and moves not by an inch: what does is furniture, also where somebody was believed to
be."""

UNCHANGED_SHARE = 0.2
"""Noise, and a hand that moves, change no more of a box. Somebody who goes leaves less than that."""

LEAST_SEEN = 0.3
"""Nothing is said of a box of which less than that is to be seen beside others."""

DOUBT_SHARE = (PLAIN_SHARE + STANDS_OUT_SHARE) / 2
"""What is said of a box that shows the place and yet moves: neither plain nor standing out."""

_INNER = 0.1
"""Of a box, on each side, that is not looked at: its corners show what is behind."""

_SWAY = np.ones((3, 3), np.uint8)


class Background:
    """One camera's place, in pictures of one size. One thread uses it."""

    def __init__(self, *, width_px: int, height_px: int) -> None:
        """Nothing is known of the place before the first picture."""
        wide, high = THUMBNAIL_WH
        scale = np.array((wide / width_px, high / height_px))
        self._scale = np.tile(scale, 2)
        self._most = np.array((wide - 1, high - 1, wide, high))
        self._empty = np.zeros((high, wide), np.float32)
        self._bounds = _bounds(np.zeros((high, wide), np.uint8))
        self._now: Grey | None = None
        self._before: tuple[Bounds, float] | None = None
        self._differs: NDArray[np.bool_] = np.zeros((high, wide), np.bool_)
        self._stirred_s = np.full((high, wide), -np.inf)
        self._claimed_s = np.full((high, wide), -np.inf)
        self._alive = self._differs
        self._restless = np.zeros((high, wide), np.float32)
        self._learnt_s = 0.0
        self._long_ago: tuple[Grey, float] | None = None
        self._lively_s = np.full((high, wide), -np.inf)

    def look(self, image_bgr: NDArray[np.uint8], *, at_s: float) -> None:
        """Take a picture, masked already."""
        self._now = now = thumbnail(image_bgr)
        if self._before is None or not -LEARN_EVERY_S < at_s - self._learnt_s < LONGEST_GAP_S:
            self._begin(now, at_s)
            return
        before, before_s = self._before
        self._stirred_s[_beyond(now, before) > STIR_GREY] = at_s
        if not 0 <= at_s - before_s < STIR_S:
            self._before = _bounds(now), at_s
        calm = self._restless < RESTLESS_SHARE
        self._differs = (_beyond(now, self._bounds) > DIFFERENT_GREY) & calm
        self._alive = (self._stirred_s > at_s - ALIVE_S) & (self._claimed_s <= at_s - ALIVE_S) & calm

    def shares(self, found: Detections, *, at_s: float) -> list[float]:
        """The share of each box that shows what is not the empty place's, 0 to 1; nan where others hide it.

        What stands out belongs to the box that is fullest of it, and surest, so that passers-by lend nothing to what
        they pass.
        """
        boxes_xyxy, scores = found.boxes_xyxy, found.scores.tolist()
        places, claims = self._places(boxes_xyxy), self._places(boxes_xyxy, inner=0.0)
        shares: list[float] = [np.count_nonzero(self._differs[place]) / self._differs[place].size for place in places]
        free = np.ones(self._differs.shape, np.bool_)
        for index in sorted(range(len(shares)), key=lambda index: -shares[index] * scores[index]):
            place = places[index]
            shares[index] = self._share(place, free[place])
            if shares[index] >= PLAIN_SHARE:
                free[claims[index]] = False
            if shares[index] >= STANDS_OUT_SHARE:
                self._claimed_s[claims[index]] = at_s
        return shares

    def still_there(self, box: Box, *, since_s: float, beside: NDArray[np.floating]) -> bool:
        """Whether who was last seen at `box` then is there yet: next to nothing has changed, or it still stands out.

        What the boxes `beside` (n, 4) cover is not looked at; somebody whom they hide is there.
        """
        free = np.ones(self._differs.shape, np.bool_)
        for other in self._places(beside):
            free[other] = False
        (place,) = self._places(np.array((box,)))
        seen = free[place]
        count = int(np.count_nonzero(seen))
        if count < LEAST_SEEN * seen.size:
            return True
        changed = int(np.count_nonzero((self._stirred_s[place] > since_s) & seen))
        return changed < UNCHANGED_SHARE * count or self._share(place, seen) >= STANDS_OUT_SHARE

    def learn(self, people: Iterable[TrackedPerson], *, at_s: float) -> None:
        """Take the last picture into the empty place, but for where `people` stand, all of them confirmed."""
        passed_s = at_s - self._learnt_s
        if self._now is None or passed_s < LEARN_EVERY_S:
            return
        empty = np.ones(self._differs.shape, np.bool_)
        free = np.ones(self._differs.shape, np.bool_)
        self._note_life(self._now, at_s)
        known = tuple(people)
        boxes = np.array([one.box_xyxy for one in known]).reshape(-1, 4)
        places = zip(known, self._places(boxes), self._places(boxes, inner=-_INNER), strict=True)
        for person, place, around in places:
            if at_s - self._lively_s[place].max() < LIFELESS_S:
                empty[around] = False
            if person.walked:
                free[around] = False
        moved = (self._stirred_s > self._learnt_s).astype(np.float32)
        # Who never walked may be a screen: what moves there all the time is learnt, though not what it looks like.
        np.add(self._restless, (moved - self._restless) * (1 - exp(-passed_s / RESTLESS_S)), self._restless, where=free)
        self._take(self._now, empty, passed_s)
        self._learnt_s = at_s

    def _note_life(self, now: Grey, at_s: float) -> None:
        """Note what is not as it was some time ago: somebody who shifts his weight has moved, if by less than a cell."""
        if self._long_ago is None or at_s - self._long_ago[1] >= LIFELESS_S / 2:
            self._long_ago = now, at_s
        self._lively_s[cv2.absdiff(now, self._long_ago[0]) > DIFFERENT_GREY] = at_s

    def _take(self, now: Grey, empty: NDArray[np.bool_], passed_s: float) -> None:
        anew = self._differs.mean() > NEW_SCENE_SHARE
        most = np.float32(255 if anew else LEARN_GREY_S * passed_s)
        np.add(self._empty, np.clip(now - self._empty, -most, most), self._empty, where=empty)
        self._bounds = _bounds(np.rint(self._empty).astype(np.uint8))

    def _begin(self, now: Grey, at_s: float) -> None:
        self._empty = now.astype(np.float32)
        self._bounds = _bounds(now)
        self._before = self._bounds, at_s
        self._differs = self._alive = np.zeros(now.shape, np.bool_)
        self._stirred_s.fill(-np.inf)
        self._claimed_s.fill(-np.inf)
        self._restless.fill(0)
        self._lively_s.fill(at_s)
        self._long_ago = None
        self._learnt_s = at_s

    def _places(self, boxes_xyxy: NDArray[np.floating], *, inner: float = _INNER) -> list[Cells]:
        """The cells of boxes (n, 4), at least one each."""
        if not len(boxes_xyxy):
            return []
        edge = inner * (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2])
        cells = np.rint(np.concatenate((boxes_xyxy[:, :2] + edge, boxes_xyxy[:, 2:] - edge), axis=1) * self._scale)
        cells = np.clip(cells, 0, self._most)
        cells[:, 2:] = np.maximum(cells[:, 2:], cells[:, :2] + 1)
        return [(slice(y1, y2), slice(x1, x2)) for x1, y1, x2, y2 in cells.astype(np.intp).tolist()]

    def _share(self, place: Cells, free: NDArray[np.bool_]) -> float:
        """What stands out of a place's free cells."""
        count = np.count_nonzero(free)
        if count < LEAST_SEEN * free.size:
            return nan
        share = np.count_nonzero(self._differs[place] & free) / count
        if share >= PLAIN_SHARE and not self._same_pattern(place, free):
            return share
        return DOUBT_SHARE if np.count_nonzero(self._alive[place] & free) >= STIR_SHARE * count else 0.0

    def _same_pattern(self, place: Cells, free: NDArray[np.bool_]) -> bool:
        """Whether the place's own pattern is still there, whatever the light."""
        if self._now is None:
            return False
        now, empty = self._now[place][free].astype(np.float32), self._empty[place][free]
        now -= now.mean()
        empty = empty - empty.mean()
        power, own = float(now @ now), float(empty @ empty)
        least = PATTERN_GREY**2 * len(now)
        return power >= least and own >= least and float(now @ empty) > SAME_PATTERN * (power * own) ** 0.5


def _bounds(grey: Grey) -> Bounds:
    return np.asarray(cv2.erode(grey, _SWAY), np.uint8), np.asarray(cv2.dilate(grey, _SWAY), np.uint8)


def _beyond(grey: Grey, bounds: Bounds) -> Grey:
    """By how much each cell is darker or brighter than that."""
    darkest, brightest = bounds
    return np.asarray(cv2.max(cv2.subtract(grey, brightest), cv2.subtract(darkest, grey)), np.uint8)
