"""From a picture to the tensor that a model wants: fitted, normalised, laid out as its manifest entry says."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.letterbox import Letterbox
from edge.models import ModelInput

__all__ = ["Placer", "placer_for"]


class Placer(Protocol):
    """Puts pictures into one reused tensor. One thread uses it."""

    def place(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[Any], Any]:
        """The tensor, and the ratio of its pixels to the picture's: one number, or one for each of x1, y1, x2, y2."""
        ...


def placer_for(target: ModelInput) -> Placer:
    """What fits pictures into `target`. The plain case, a letterbox of 0 to 255, has nothing put on top of it."""
    placer: Placer = Letterbox(target)
    if target.resize == "stretch":
        placer = _Stretched(placer, target)
    if not _plain(target):
        placer = _Normalised(placer, target)
    return placer


def _plain(target: ModelInput) -> bool:
    """Whether the letterbox's own tensor is what the model wants."""
    untouched = ModelInput(width=target.width, height=target.height)
    told = target.model_dump(include={"layout", "element", "scale", "mean", "std"})
    return told.items() <= untouched.model_dump().items()


class _Stretched:
    """Fills the whole input; the aspect is lost, as the model was trained."""

    def __init__(self, placer: Placer, target: ModelInput) -> None:
        self._placer = placer
        self._size_wh = (target.width, target.height)
        self._source_hw = (0, 0)
        self._scaled = np.empty((target.height, target.width, 3), np.uint8)
        self._steps: list[_Reduction] = []
        self._ratios = np.ones(4, np.float32)

    def place(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[Any], Any]:
        if image_bgr.shape[:2] != self._source_hw:
            self._fit(image_bgr.shape[0], image_bgr.shape[1])
        for step in self._steps:
            image_bgr = step.reduce(image_bgr)
        if image_bgr.shape != self._scaled.shape:
            cv2.resize(image_bgr, self._size_wh, dst=self._scaled, interpolation=cv2.INTER_LINEAR)
            image_bgr = self._scaled
        return self._placer.place(image_bgr)[0], self._ratios

    def _fit(self, height: int, width: int) -> None:
        wide, high = self._size_wh
        self._source_hw, self._steps, seen_w, seen_h = (height, width), [], wide / width, high / height
        # Below half size linear interpolation skips pixels, and small people with them.
        while width > 2 * wide or height > 2 * high:
            both = width >= 2 * wide and height >= 2 * high
            by_x, by_y = (2, 2) if both else (max(1, width // wide), max(1, height // high))
            seen_w, seen_h = seen_w * width / (width // by_x * by_x), seen_h * height / (height // by_y * by_y)
            width, height = width // by_x, height // by_y
            self._steps.append(_Reduction(by_x, by_y, width=width, height=height))
        self._ratios = np.array((seen_w, seen_h) * 2, np.float32)


class _Reduction:
    """Whole pixels averaged, as a JPEG's reduced decoding does: halves cost a tenth of what parts of pixels cost.

    What is left over at the right and at the bottom, less than one pixel of the result, is not seen.
    """

    def __init__(self, by_x: int, by_y: int, *, width: int, height: int) -> None:
        self._rows, self._columns = height * by_y, width * by_x
        self._smaller = np.empty((height, width, 3), np.uint8)

    def reduce(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = self._smaller.shape[:2]
        whole = image_bgr[: self._rows, : self._columns]
        cv2.resize(whole, (width, height), dst=self._smaller, interpolation=cv2.INTER_AREA)
        return self._smaller


class _Normalised:
    """(value * scale - mean) / std in the model's own type and layout, in a tensor of its own."""

    def __init__(self, placer: Placer, target: ModelInput) -> None:
        self._placer = placer
        mean, std = (np.array(one, np.float32).reshape(1, 3, 1, 1) for one in (target.mean, target.std))
        self._factor, self._shift = np.float32(target.scale) / std, -mean / std
        self._normal = np.empty((1, 3, target.height, target.width), np.float32)
        self._arranged = self._normal if target.layout == "nchw" else self._normal.transpose(0, 2, 3, 1)
        self._tensor = np.empty(self._arranged.shape, np.dtype(target.element))

    def place(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[Any], Any]:
        placed, ratio = self._placer.place(image_bgr)
        np.multiply(placed, self._factor, out=self._normal)
        np.add(self._normal, self._shift, out=self._normal)
        np.copyto(self._tensor, self._arranged, casting="unsafe")
        return self._tensor, ratio
