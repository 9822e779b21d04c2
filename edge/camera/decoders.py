"""From a model's raw output to boxes and scores: one decoder for each family of detectors, found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelRefused
from edge.models import ModelSpec

__all__ = ["Decoder", "decoder_for"]

_MAX_LOG_SIDE = 12.0
"""exp(12) strides is wider than any picture; past it float32 would overflow on a broken model."""


class Decoder(Protocol):
    """Reads one picture's raw output."""

    def decode(self, raw: NDArray[np.float32], *, min_score: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (n, 4) as x1, y1, x2, y2 in input pixels, and scores (n,), of at least `min_score`, unsuppressed."""
        ...


class _Yolox:
    """YOLOX: rows of cx, cy, log w, log h, objectness, class scores, in units of each cell's stride.

    Source: Megvii YOLOX, `demo_postprocess`; https://github.com/Megvii-BaseDetection/YOLOX
    """

    def __init__(self, spec: ModelSpec) -> None:
        cells = [_cells(spec.input.width // stride, spec.input.height // stride) for stride in spec.output.strides]
        self._cell_xy = np.concatenate(cells)
        self._stride = np.repeat(np.array(spec.output.strides, np.float32), [len(grid) for grid in cells])[:, None]
        self._score_column = 5 + spec.output.person_class
        self._name = spec.name

    def decode(self, raw: NDArray[np.float32], *, min_score: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = raw[0]
        if rows.shape[0] != len(self._cell_xy) or rows.shape[1] <= self._score_column:
            raise ModelRefused(
                "decode", self._name, f"output {raw.shape} does not fit the manifest's input and strides"
            )
        scores = rows[:, 4] * rows[:, self._score_column]
        keep = np.flatnonzero(scores >= min_score)
        found, stride = rows[keep], self._stride[keep]
        centre = (found[:, 0:2] + self._cell_xy[keep]) * stride
        half = np.exp(np.minimum(found[:, 2:4], _MAX_LOG_SIDE)) * stride / 2
        return np.concatenate((centre - half, centre + half), axis=1), scores[keep]


def _cells(columns: int, rows: int) -> NDArray[np.float32]:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.stack((x.ravel(), y.ravel()), axis=1).astype(np.float32)


_DECODERS: dict[str, Callable[[ModelSpec], Decoder]] = {"yolox": _Yolox}


def decoder_for(spec: ModelSpec) -> Decoder:
    """The decoder that the manifest names.

    Raises:
        ModelRefused: no decoder of that name.
    """
    try:
        return _DECODERS[spec.decoder](spec)
    except KeyError:
        known = ", ".join(sorted(_DECODERS))
        raise ModelRefused("load model", spec.name, f"unknown decoder '{spec.decoder}'; known: {known}") from None
