"""A tiny grey picture, by which a scene is compared with itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["THUMBNAIL_WH", "thumbnail"]

THUMBNAIL_WH = (80, 64)
"""A cell is about four pixels of what the detector sees: nobody it could find is smaller than a few cells."""

_SAMPLED_WH = (2 * THUMBNAIL_WH[0], 2 * THUMBNAIL_WH[1])
"""Four samples a cell: averaging every pixel of the picture costs ten times as much and tells nothing more."""


def thumbnail(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey (64, 80) of `image_bgr` (height, width, 3)."""
    sampled = cv2.resize(image_bgr, _SAMPLED_WH, interpolation=cv2.INTER_LINEAR)
    # Green is most of what is grey, and the sharpest channel of any sensor and any JPEG.
    return np.asarray(cv2.resize(sampled[:, :, 1], THUMBNAIL_WH, interpolation=cv2.INTER_AREA), np.uint8)
