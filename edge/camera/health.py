"""Whether a camera still sees what it is there to see: dark, covered, moved, blurred or frozen.

Judged once a second from a glance, beside what this very view used to be. A complaint is raised after some ten seconds of
evidence and withdrawn after as many without: somebody before the lens is no fault. Everything is kept in memory only, and
anew after a start, so a camera that is turned while the gateway is down is not noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.camera.elapsed import Elapsed
from edge.camera.view import Glance, glance, likeness, quantile, shown_blocks, texture

__all__ = ["COMPLAINTS", "Complaint", "PictureHealth"]

Complaint = Literal["dark", "covered", "moved", "blurred", "frozen"]
COMPLAINTS: tuple[Complaint, ...] = ("dark", "covered", "moved", "blurred", "frozen")

EVERY_S = 1.0
LEARN_S = 10.0
CURRENT_S, USUAL_S = 3.0, 600.0
"""Passers-by fade from the present view within seconds; the usual view follows the light within minutes."""

VOTE_S, RAISE_AT, WITHDRAW_AT = 4.0, 0.9, 0.1

DARK_BELOW = 20.0
"""Grey level of the brightest tenth. A shop lit by its emergency lights is above it."""

FLAT_BELOW = 2.0
FADED_TO, COVERED_SHARE = 0.3, 0.7
"""A block is hidden once it shows so little of its usual texture; a lens is covered once so many blocks are."""

ALIKE = 0.5
BLURRED_TO, BLURRED_BELOW = 0.65, 0.33
"""Of the usual sharpness, and of any camera's."""

JUDGED_CONTRAST = 4.0
JUDGED_BLOCKS, JUDGED_TEXTURE = 3, 0.02
"""What a view must have for its sharpness, or its place, to be told from noise."""

FROZEN_S = 15.0
"""Encoders repeat a still scene to the bit until their next key frame, which comes sooner."""

ACCEPT_S = 6 * 3600.0
"""Who moves a camera and leaves it there for so long means it."""

Floats = NDArray[np.float32]
Blocks = NDArray[np.bool_]


@dataclass(slots=True)
class _Usual:
    """What a camera normally sees."""

    coarse: Floats
    sharpness: float
    learnt_s: float = 0.0


class PictureHealth:
    """Watches the pictures of one camera. What is under its privacy mask is not judged."""

    def __init__(self, *, hidden: Sequence[Sequence[tuple[float, float]]] = ()) -> None:
        self._shown = shown_blocks(hidden)
        self._clock = Elapsed(longest_s=10 * EVERY_S)
        self._due_s = 0.0
        self._usual: _Usual | None = None
        self._current: Floats | None = None
        self._same: tuple[int, float] = (0, 0.0)
        self._votes: dict[Complaint, float] = dict.fromkeys(COMPLAINTS, 0.0)
        self._moved_s = 0.0
        self._seen_s = 0.0
        self._told: tuple[Complaint, ...] | None = None
        self.complaints: tuple[Complaint, ...] = ()

    def look(self, image_bgr: NDArray[np.uint8], *, at_s: float) -> tuple[Complaint, ...] | None:
        """Take a picture, seen at `at_s`; all complaints if they changed by it, else None. Most pictures are not looked at."""
        self._due_s += self._clock.step(at_s)
        if self._current is not None and self._due_s < EVERY_S:
            return None
        passed_s, self._due_s = self._due_s, 0.0
        self._judge(glance(image_bgr), passed_s)
        self._seen_s += passed_s
        if self.complaints == self._told or (self._told is None and self._seen_s < LEARN_S):
            return None  # after a start nothing is said, neither good nor bad, before it can be known
        self._told = self.complaints
        return self.complaints

    def _judge(self, seen: Glance, passed_s: float) -> None:
        self._current = _blend(self._current, seen.coarse, passed_s / CURRENT_S)
        same_s = self._same[1] + passed_s if self._same[0] == seen.checksum else 0.0
        self._same = seen.checksum, same_s
        signs = self._signs(seen, self._current, same_s=same_s)
        for complaint, sign in signs.items():
            if sign is not None:
                self._votes[complaint] += (float(sign) - self._votes[complaint]) * (1 - exp(-passed_s / VOTE_S))
        self.complaints = tuple(one for one in COMPLAINTS if self._stands(one))
        self._learn(seen, passed_s, suspicious=any(signs.values()))

    def _stands(self, complaint: Complaint) -> bool:
        """A complaint once raised stands until there is next to no evidence left."""
        return self._votes[complaint] >= (WITHDRAW_AT if complaint in self.complaints else RAISE_AT)

    def _signs(self, seen: Glance, current: Floats, *, same_s: float) -> Mapping[Complaint, bool | None]:
        """What speaks for each complaint now; None where this picture cannot tell, which changes nothing."""
        if quantile(seen.coarse, 0.9) < DARK_BELOW:
            return {"dark": True}
        usual_texture = self._usual_texture()
        judged = self._judged(usual_texture)
        if self._is_covered(seen, current, usual_texture=usual_texture, judged=judged):
            return {"dark": False, "covered": True}
        return {
            "dark": False,
            "covered": False,
            "moved": self._is_moved(current, judged=judged),
            "blurred": self._is_blurred(seen),
            "frozen": same_s >= FROZEN_S,
        }

    @staticmethod
    def _is_covered(seen: Glance, current: Floats, *, usual_texture: Floats | None, judged: Blocks | None) -> bool:
        if seen.contrast < FLAT_BELOW:
            return True
        if judged is None or usual_texture is None:
            return False
        faded = texture(current)[judged] < FADED_TO * usual_texture[judged]
        return bool(faded.mean() >= COVERED_SHARE)

    def _is_moved(self, current: Floats, *, judged: Blocks | None) -> bool | None:
        if judged is None or self._usual is None:
            return None
        return bool(np.median(likeness(current, self._usual.coarse)[judged]) < ALIKE)

    def _is_blurred(self, seen: Glance) -> bool | None:
        if seen.contrast < JUDGED_CONTRAST:
            return None
        usual = self._usual.sharpness if self._usual is not None and self._knows() else 0.0
        return seen.sharpness < max(BLURRED_BELOW, BLURRED_TO * usual)

    def _knows(self) -> bool:
        return self._usual is not None and self._usual.learnt_s >= LEARN_S

    def _usual_texture(self) -> Floats | None:
        return texture(self._usual.coarse) if self._usual is not None and self._knows() else None

    def _judged(self, usual_texture: Floats | None) -> Blocks | None:
        """Blocks (n,) that can be judged; None if they are too few."""
        if usual_texture is None:
            return None
        judged = self._shown & (usual_texture >= JUDGED_TEXTURE)
        return judged if int(judged.sum()) >= JUDGED_BLOCKS else None

    def _learn(self, seen: Glance, passed_s: float, *, suspicious: bool) -> None:
        """Take a healthy picture into the usual view; after long enough a moved camera's new view is the usual one."""
        self._moved_s = self._moved_s + passed_s if "moved" in self.complaints else 0.0
        if self._moved_s > ACCEPT_S:
            self._usual, self._votes["moved"] = None, 0.0
        if suspicious or any(vote > WITHDRAW_AT for vote in self._votes.values()):
            return
        usual = self._usual or _Usual(seen.coarse, seen.sharpness)
        usual.learnt_s += passed_s
        share = passed_s / min(USUAL_S, max(usual.learnt_s, passed_s, EVERY_S))
        usual.coarse = _blend(usual.coarse, seen.coarse, share)
        usual.sharpness += (seen.sharpness - usual.sharpness) * (1 - exp(-share))
        self._usual = usual


def _blend(before: Floats | None, now: Floats, share: float) -> Floats:
    """`before` moved towards `now`; `share` is the time passed over the time it takes."""
    return now if before is None else np.asarray(before + (now - before) * np.float32(1 - exp(-share)), np.float32)
