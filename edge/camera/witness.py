"""The second witness beside the detector: what the picture says of its boxes, and of people whom it overlooks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.camera.background import DOUBT_SHARE, Background
from edge.camera.detector import Detections
from edge.camera.tracker import TrackedPerson
from edge.camera.tracks import SURE_SCORE, doubtful_score

__all__ = ["Witness", "in_view"]

LINGER_S = 0.4
LOOK_EVERY_S = 0.5
"""How often the place is looked at while nobody asks: everybody is known, and the detector is sure of all."""


def in_view(person: TrackedPerson) -> bool:
    """Whether a track is somebody in the picture now.

    A confirmed person counts through a moment's miss, but not past the picture's edge; one seen for the first time
    counts if the detector is sure.
    """
    if person.missing_s > 0:
        return person.confirmed and not person.at_edge and person.missing_s <= LINGER_S
    return person.confirmed or person.score >= SURE_SCORE


class Witness:
    """Knows one camera's place, in pictures of one size, and where each live track was last seen."""

    def __init__(self, *, width_px: int, height_px: int, score_threshold: float) -> None:
        """`score_threshold` is what a box needs to begin a track."""
        self._background = Background(width_px=width_px, height_px=height_px)
        self._score_threshold, self._least_score = score_threshold, doubtful_score(score_threshold)
        self._looked_s = -np.inf
        self._last_seen: dict[int, tuple[float, float, float, float]] = {}

    def shares(
        self, image_bgr: NDArray[np.uint8], found: Detections, people: Sequence[TrackedPerson], *, at_s: float
    ) -> list[float]:
        """How much of each box of `found` stands out of the empty place, for `Tracker.update`.

        `image_bgr` is masked already; `people` are the tracks before this picture. Where nobody is in doubt, nothing
        is looked at, and nothing is said.
        """
        asked = self._is_asked(found, people)
        if asked or not 0 <= at_s - self._looked_s < LOOK_EVERY_S:
            self._background.look(image_bgr, at_s=at_s)
            self._looked_s = at_s
        if not asked:
            return [DOUBT_SHARE] * len(found)
        told = found.scores >= self._least_score
        shares = np.zeros(len(found))
        shares[told] = self._background.shares(Detections(found.boxes_xyxy[told], found.scores[told]), at_s=at_s)
        return shares.tolist()

    def count(self, people: Sequence[TrackedPerson], *, at_s: float) -> int:
        """How many of all live tracks are in view after this picture, which is then learnt from."""
        before = self._last_seen
        self._last_seen = {
            one.track_id: before.get(one.track_id, one.box_xyxy) if one.missing_s > 0 else one.box_xyxy
            for one in people
        }
        in_sight = sum(1 for one in people if in_view(one) or self._vouches(one, people, at_s=at_s))
        self._background.learn((one for one in people if one.confirmed), at_s=at_s)
        return in_sight

    def _is_asked(self, found: Detections, people: Sequence[TrackedPerson]) -> bool:
        """Whether there is anybody of whom the detector alone is not enough."""
        scores = [score for score in found.scores.tolist() if score >= self._score_threshold]
        if len(scores) > len(people) or (scores and min(scores) < SURE_SCORE):
            return True
        return not all(one.confirmed and one.missing_s == 0 for one in people)

    def _vouches(self, person: TrackedPerson, people: Sequence[TrackedPerson], *, at_s: float) -> bool:
        """Whether the picture shows somebody: whom both see at first sight, or whom the detector overlooks now."""
        if person.missing_s == 0:
            return person.stands_out
        if not person.confirmed or person.at_edge:
            return False
        seen = np.array([one.box_xyxy for one in people if one.missing_s == 0]).reshape(-1, 4)
        box = self._last_seen[person.track_id]
        return self._background.still_there(box, since_s=at_s - person.missing_s, beside=seen)
