"""A picture of any size, scaled into a model's input without a stretch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.models import ModelInput

__all__ = ["Letterbox", "reduction_for"]

_REDUCTIONS = (8, 4, 2)
"""What a JPEG decoder can divide both sides by at a fraction of the cost of a full decode."""


_ENLARGED = 1.1
"""How much a stretched side may be enlarged again: 640 x 480 is decoded at half for 320 x 256, at a third of the cost."""


def reduction_for(*, width: int, height: int, target: ModelInput) -> int:
    """The largest divisor (8, 4, 2 or 1) that leaves a picture about as large as the model will see it, or larger."""
    ratios = target.width / width, target.height / height
    if target.resize == "stretch":
        return next((by for by in _REDUCTIONS if max(ratios) * by <= _ENLARGED), 1)
    return next((by for by in _REDUCTIONS if min(ratios) * by <= 1), 1)


class Letterbox:
    """Scales pictures into one reused tensor, top left corner, padded. One thread uses it."""

    def __init__(self, target: ModelInput) -> None:
        self._target = target
        self._tensor = np.empty((1, 3, target.height, target.width), np.float32)
        self._source_hw = (0, 0)
        self._scaled = np.empty((0, 0, 3), np.uint8)
        self._channels: list[NDArray[np.uint8]] = []
        self._planes: list[NDArray[np.float32]] = []
        self._ratio = 1.0

    def place(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """The input tensor (1, 3, height, width) and the ratio of its pixels to the picture's.

        The tensor is overwritten by the next call.
        """
        if image_bgr.shape[:2] != self._source_hw:
            self._fit(image_bgr.shape[0], image_bgr.shape[1])
        scaled = self._scale(image_bgr)
        # Plane by plane is five times as fast as one transposed copy.
        cv2.split(scaled, self._channels)
        for plane, channel in zip(self._planes, self._channels, strict=True):
            np.copyto(plane, channel)
        return self._tensor, self._ratio

    def _fit(self, height: int, width: int) -> None:
        self._ratio = min(self._target.height / height, self._target.width / width)
        scaled_h = max(1, min(self._target.height, int(height * self._ratio)))
        scaled_w = max(1, min(self._target.width, int(width * self._ratio)))
        self._tensor.fill(self._target.pad)
        planes = self._tensor[0, :, :scaled_h, :scaled_w]
        self._planes = list(planes[::-1] if self._target.colour == "rgb" else planes)
        self._channels = [np.empty((scaled_h, scaled_w), np.uint8) for _ in self._planes]
        self._scaled = np.empty((scaled_h, scaled_w, 3), np.uint8)
        self._source_hw = (height, width)

    def _scale(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if image_bgr.shape == self._scaled.shape:
            return image_bgr
        # Below half size linear interpolation skips pixels, and small people with them.
        how = cv2.INTER_AREA if self._ratio < 0.5 else cv2.INTER_LINEAR
        height, width = self._scaled.shape[:2]
        cv2.resize(image_bgr, (width, height), dst=self._scaled, interpolation=how)
        return self._scaled
