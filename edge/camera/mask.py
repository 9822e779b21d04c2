"""Parts of the picture that nobody has any business with, blacked out before anything looks at it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PrivacyMask"]

Polygon = Sequence[tuple[float, float]]


class PrivacyMask:
    """Polygons in relative coordinates, drawn once for each size of picture. One thread uses it."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self._polygons = [np.asarray(polygon, np.float64).reshape(-1, 2) for polygon in polygons]
        self._size_hw = (0, 0)
        self._outlines: Sequence[NDArray[np.int32]] = ()

    def apply(self, image_bgr: NDArray[np.uint8]) -> None:
        """Black out the polygons in `image_bgr` (height, width, 3), in place."""
        if not self._polygons:
            return
        if image_bgr.shape[:2] != self._size_hw:
            self._size_hw = (image_bgr.shape[0], image_bgr.shape[1])
            self._outlines = self._draw(*self._size_hw)
        cv2.drawContours(image_bgr, self._outlines, -1, (0, 0, 0), cv2.FILLED)

    def hides(self, points_xy: NDArray[np.float32], *, width: int, height: int) -> NDArray[np.bool_]:
        """Which of `points_xy` (n, 2), pixels of a picture of that size, lie under the mask."""
        relative = points_xy / np.array((width, height), np.float32)
        polygons = [polygon.astype(np.float32) for polygon in self._polygons]
        return np.array(
            [any(cv2.pointPolygonTest(one, (float(x), float(y)), False) >= 0 for one in polygons) for x, y in relative],
            np.bool_,
        )

    def _draw(self, height: int, width: int) -> Sequence[NDArray[np.int32]]:
        """Outlines of all that is hidden: polygons that overlap or cross themselves leave no hole (even-odd would)."""
        canvas = np.zeros((height, width), np.uint8)
        for polygon in self._polygons:
            pixels = np.round(polygon * (width - 1, height - 1)).astype(np.int32)
            cv2.fillPoly(canvas, [pixels], 255)
            cv2.polylines(canvas, [pixels], isClosed=True, color=255, thickness=2)
        outlines, _ = cv2.findContours(canvas, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return tuple(np.asarray(outline, np.int32) for outline in outlines)
