"""What can be told of a picture at a glance: how bright, how sharp, where there is anything to see.

A few thousand pixels in grey, averaged over some seconds so that passers-by fade: too coarse to know anybody, and kept in
memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "Glance", "glance", "likeness", "quantile", "shown_blocks", "texture"]

_FINE_WH = (192, 144)
_COARSE_WH = (48, 36)
GRID = (4, 4)
"""Blocks across and down that are judged each for itself: a crowd fills some of them, a hand on the lens all."""

_HALO = 2.0
"""Sigma, in coarse pixels, of what counts as brightness and not as structure."""

_LIGHT = 10.0
"""Grey levels below which contrast is mostly noise."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Glance:
    """`coarse` (36, 48): grey levels 0 to 255. `contrast`: levels of a strong edge; `sharpness`: its fine share.

    `checksum` differs from picture to picture wherever a sensor makes noise.
    """

    coarse: Floats
    contrast: float
    sharpness: float
    checksum: int


def glance(image_bgr: NDArray[np.uint8]) -> Glance:
    """Look at a picture (height, width, 3)."""
    whole = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    grey = np.asarray(cv2.resize(whole, _FINE_WH, interpolation=cv2.INTER_AREA), np.uint8)
    coarse = cv2.resize(grey, _COARSE_WH, interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.uint8)
    softer = np.asarray(cv2.blur(soft, (9, 9)), np.uint8)
    # Strong edges only: a sensor's noise is as fine as detail, but weak.
    fine, broad = _strong(grey, soft), _strong(soft, softer)
    return Glance(coarse, broad, fine / (broad + 1.0), crc32(grey.tobytes()))


def texture(coarse: Floats) -> Floats:
    """How much there is to see in each block (n,), for the light there is."""
    return np.asarray(_blocks(_structure(coarse)).std(axis=1) / (_blocks(coarse).mean(axis=1) + _LIGHT))


def likeness(one: Floats, other: Floats) -> Floats:
    """How alike the structure of two coarse pictures is, by block (n,): 1 the same, 0 unrelated. Light doesn't matter."""
    a, b = (_blocks(_structure(coarse)) for coarse in (one, other))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    norm = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(norm, 1e-6))


def quantile(values: NDArray[Any], share: float) -> float:
    """What `share` (below 1) of `values` do not exceed, as `numpy.quantile` has it, at a fraction of its overhead."""
    at = share * (values.size - 1)
    low = int(at)
    below, above = np.partition(values, (low, low + 1), axis=None)[low : low + 2].tolist()
    return float(below + (above - below) * (at - low))


def _structure(coarse: Floats) -> Floats:
    """A coarse picture without its brightness: what is left when the light changes."""
    return np.asarray(coarse - cv2.GaussianBlur(coarse, (0, 0), _HALO), np.float32)


def _blocks(coarse: Floats) -> Floats:
    """A coarse picture cut into its blocks: (blocks, pixels)."""
    across, down = GRID
    width, height = _COARSE_WH
    cut = coarse.reshape(down, height // down, across, width // across)
    return cut.transpose(0, 2, 1, 3).reshape(down * across, -1)


def shown_blocks(polygons: Sequence[Sequence[tuple[float, float]]]) -> NDArray[np.bool_]:
    """Which blocks (n,) no privacy mask reaches into; a black polygon is no view."""
    canvas = np.zeros((_COARSE_WH[1], _COARSE_WH[0]), np.uint8)
    for polygon in polygons:
        corners = np.round(np.asarray(polygon) * (_COARSE_WH[0] - 1, _COARSE_WH[1] - 1)).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 1)
    return np.asarray(_blocks(canvas.astype(np.float32)).max(axis=1) == 0)


def _strong(sharper: NDArray[np.uint8], softer: NDArray[np.uint8]) -> float:
    return quantile(np.asarray(cv2.absdiff(sharper, softer)[::2, ::2]), 0.97)
