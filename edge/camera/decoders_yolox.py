"""YOLOX: one row for each cell, objectness times class, boxes in strides or already in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.camera.grid import Grid, misfit
from edge.models import ModelSpec

__all__ = ["Yolox"]

_MAX_LOG_SIDE = 12.0
"""exp(12) strides is wider than any picture; past it float32 would overflow on a broken model."""


class Yolox:
    """Rows of cx, cy, log w, log h, objectness, class scores, in units of each cell's stride.

    With `decoded` (exported with `--decode_in_inference`) the first four are cx, cy, w, h in pixels.
    Source: Megvii YOLOX, `demo_postprocess`; https://github.com/Megvii-BaseDetection/YOLOX
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._grid = Grid(spec.input, spec.output.strides, round_up=False)
        self._score_column = 5 + spec.output.person_class

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], *, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and scores, as the protocol says."""
        rows = self._rows(outputs)
        scores = rows[:, 4] * rows[:, self._score_column]
        keep = (scores >= min_score).nonzero()[0]
        centre, half = self._centre_and_half(rows, keep)
        return np.concatenate((centre - half, centre + half), axis=1), scores.take(keep)

    def _rows(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        shape = outputs[0].shape if len(outputs) == 1 else ()
        if len(shape) != 3 or shape[:2] != (1, len(self._grid)) or shape[2] <= self._score_column:
            expected = f"one output [1, {len(self._grid)}, {self._score_column + 1} or more] for its input and strides"
            raise misfit(self._spec, outputs, expected)
        return np.asarray(outputs[0][0])

    def _centre_and_half(
        self, rows: NDArray[np.float32], keep: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = rows.take(keep, axis=0)
        if self._spec.output.decoded:
            return found[:, 0:2], found[:, 2:4] / np.float32(2)
        stride = self._grid.stride.take(keep, axis=0)
        centre = (found[:, 0:2] + self._grid.xy.take(keep, axis=0)) * stride
        return centre, np.exp(np.minimum(found[:, 2:4], _MAX_LOG_SIDE)) * stride / np.float32(2)
