"""Whether a picture differs from the one the detector last looked at; where it does not, the answer is known.

Nothing is averaged and nothing is learnt: the comparison is always with the very picture that was looked at, so that
somebody who creeps is noticed as soon as he has got anywhere, and light that changes merely costs a look.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MotionGate"]

_GRID_WH = (80, 64)
"""A cell is about four pixels of what the detector sees: nobody it could find is smaller than a few cells."""

_CHANGE_GREY = 6
"""A cell that changed by more is a change. Sensor noise and JPEG leave a cell's mean within 4 on real footage."""

LOOK_EVERY_S = 2.0
"""However still the picture is, the detector looks again: whom it missed in one picture it may find in the next."""


class MotionGate:
    """Remembers one tiny grey picture, of the last look. One thread uses it."""

    def __init__(self) -> None:
        self._seen: NDArray[np.uint8] | None = None
        self._now: NDArray[np.uint8] | None = None
        self._looked_s = 0.0

    def still(self, image_bgr: NDArray[np.uint8], *, at_s: float) -> bool:
        """Whether `image_bgr`, masked already, shows what was there at the last look, and that was not long ago."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        self._now = np.asarray(cv2.resize(grey, _GRID_WH, interpolation=cv2.INTER_AREA), np.uint8)
        if self._seen is None or not 0 <= at_s - self._looked_s < LOOK_EVERY_S:
            return False
        return int(cv2.absdiff(self._now, self._seen).max()) <= _CHANGE_GREY

    def looked(self, *, at_s: float) -> None:
        """The detector looks at the picture that `still` was last asked about, if it was asked about this one."""
        self._seen, self._now, self._looked_s = self._now, None, at_s

    def forget(self) -> None:
        """Nothing is known any more; the next picture is looked at."""
        self._seen = self._now = None
