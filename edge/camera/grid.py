"""The cells that a grid detector's outputs belong to, and what is refused of outputs that do not fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelRefused
from edge.models import ModelInput, ModelSpec

__all__ = ["Grid", "misfit"]


class Grid:
    """Every cell of every stride, row by row: `xy` (n, 2) in cells, `stride` (n, 1) in pixels."""

    def __init__(self, target: ModelInput, strides: Sequence[int], *, round_up: bool) -> None:
        """`round_up` also counts a last cell that the input covers in part."""
        sides = [_sides(target, stride, round_up=round_up) for stride in strides]
        cells = [_cells(columns, rows) for columns, rows in sides]
        self.xy = np.concatenate(cells)
        self.stride = np.repeat(np.array(strides, np.float32), [len(one) for one in cells])[:, None]

    def __len__(self) -> int:
        return len(self.xy)


def _sides(target: ModelInput, stride: int, *, round_up: bool) -> tuple[int, int]:
    if round_up:
        return -(-target.width // stride), -(-target.height // stride)
    return target.width // stride, target.height // stride


def _cells(columns: int, rows: int) -> NDArray[np.float32]:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.stack((x.ravel(), y.ravel()), axis=1).astype(np.float32)


def misfit(spec: ModelSpec, outputs: Sequence[NDArray[Any]], expected: str) -> ModelRefused:
    """The error for outputs that are not what the manifest makes us expect."""
    shapes = ", ".join(str(list(one.shape)) for one in outputs) or "none"
    return ModelRefused("decode", spec.name, f"output {shapes} does not fit the manifest: {expected}")
