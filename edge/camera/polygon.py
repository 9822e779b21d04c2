"""Where in the picture somebody stands, and whether that is inside a polygon."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

__all__ = ["Polygon"]


class Polygon:
    """A closed shape in relative coordinates; points on its border are inside."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """`points` are its corners in order, going round, each from 0 to 1."""
        self._contour = np.asarray(points, np.float32).reshape(-1, 1, 2)
        self._low_x, self._low_y = self._contour.min(axis=(0, 1)).tolist()
        self._high_x, self._high_y = self._contour.max(axis=(0, 1)).tolist()

    def contains(self, x: float, y: float) -> bool:
        """Whether the point is inside. One beyond the picture's edge is taken to stand on the edge.

        The foot of a person cut by the edge lies outside the picture; an area that reaches the edge goes on for them.
        """
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            x, y = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
        if not (self._low_x <= x <= self._high_x and self._low_y <= y <= self._high_y):
            return False
        return cv2.pointPolygonTest(self._contour, (x, y), False) >= 0
