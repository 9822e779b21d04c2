"""Small grid detectors: NanoDet, whose box sides are distributions, and FastestDet, with one grid in all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.camera.grid import Grid, misfit
from edge.models import ModelSpec

__all__ = ["FastestDet", "NanoDet"]


class NanoDet:
    """NanoDet and NanoDet-Plus: rows of class scores, then a distribution of `bins` for each of left, top, right, bottom.

    A side is the distribution's mean, in strides from the cell's point.
    Source: `NanoDetPlusHead.get_bboxes`, https://github.com/RangiLyu/nanodet
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._bins = spec.output.bins
        self._grid = Grid(spec.input, spec.output.strides, round_up=True)
        self._values = np.arange(self._bins, dtype=np.float32)
        self._size = np.array((spec.input.width, spec.input.height) * 2, np.float32)

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], *, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and scores, as the protocol says."""
        rows = self._rows(outputs)
        scores = rows[:, self._spec.output.person_class]
        keep = np.flatnonzero(scores >= min_score)
        stride = self._grid.stride[keep]
        point = (self._grid.xy[keep] + np.float32(self._spec.output.cell_offset)) * stride
        sides = self._sides(rows[keep, -4 * self._bins :]) * stride
        boxes = np.concatenate((point - sides[:, :2], point + sides[:, 2:]), axis=1)
        return np.clip(boxes, 0, self._size), scores[keep]

    def _rows(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        shape = outputs[0].shape if len(outputs) == 1 else ()
        least = 4 * self._bins + self._spec.output.person_class + 1
        if len(shape) != 3 or shape[:2] != (1, len(self._grid)) or shape[2] < least:
            expected = f"one output [1, {len(self._grid)}, {least} or more] for its input, strides and bins"
            raise misfit(self._spec, outputs, expected)
        return np.asarray(outputs[0][0])

    def _sides(self, distributions: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of each side's distribution (n, 4), in strides."""
        values = distributions.reshape(-1, 4, self._bins)
        risen = np.exp(values - values.max(axis=2, keepdims=True))
        return np.asarray(risen @ self._values / risen.sum(axis=2), np.float32)


class FastestDet:
    """FastestDet: one grid of objectness, tanh of the offset, sigmoid of the size, class scores; channels first.

    Source: `handle_preds`, https://github.com/dog-qiuqiu/FastestDet
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._size_wh = np.array((spec.input.width, spec.input.height), np.float32)
        self._channel = 5 + spec.output.person_class

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], *, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and scores, as the protocol says."""
        channels = self._channels(outputs)
        scores = channels[0] * channels[self._channel]
        row, column = np.nonzero(scores >= min_score)
        found = channels[:, row, column].T
        cell_xy, grid_wh = np.stack((column, row), axis=1), np.array(scores.shape[::-1], np.float32)
        centre = (np.tanh(found[:, 1:3]) + cell_xy) / grid_wh * self._size_wh
        half = 0.25 * (1 + np.tanh(0.5 * found[:, 3:5])) * self._size_wh
        boxes = np.concatenate((centre - half, centre + half), axis=1)
        return boxes.astype(np.float32), scores[row, column]

    def _channels(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        shape = outputs[0].shape if len(outputs) == 1 else ()
        if len(shape) != 4 or shape[0] != 1 or shape[1] <= self._channel:
            raise misfit(self._spec, outputs, f"one output [1, {self._channel + 1} or more, rows, columns]")
        return np.asarray(outputs[0][0])
