"""A constant-velocity Kalman filter for many boxes at once, with the real time between frames.

Centre x, centre y, width and height are filtered as four independent pairs of (value, speed), so every covariance is
a symmetric 2 x 2 matrix and the whole bank needs no matrix inversion: 30 people cost about as much as one.
Noise is in units of the box's longer side, so that people far from and near to the camera are treated alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "KalmanBank", "to_cxcywh", "to_xyxy"]

Floats = NDArray[np.float64]

MEASUREMENT_STD = np.array((0.035, 0.035, 0.07, 0.07))
"""How far a detector's box is off; a width swings with every stride."""

ACCELERATION_STD = np.array((0.9, 0.9, 0.3, 0.3))
"""Per square root of a second: somebody who stands walks at full pace (0.8 heights a second) within one second."""

FIRST_SPEED_STD = np.array((0.7, 0.7, 0.2, 0.2))
"""What is known of the speed of someone seen for the first time, in longer sides a second."""

SIZE_SPEED_FADES_S = 1.0
"""A box does not go on growing while nobody looks."""


def to_cxcywh(boxes_xyxy: NDArray[np.float32] | Floats) -> Floats:
    """Corners (n, 4) to centre and size (n, 4)."""
    boxes = np.asarray(boxes_xyxy, np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate((boxes[:, :2] + size / 2, size), axis=1)


def to_xyxy(boxes_cxcywh: Floats) -> Floats:
    """Centre and size (n, 4) to corners (n, 4)."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate((boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half), axis=1)


class KalmanBank:
    """The state of n boxes; rows are added at the end and dropped by index, in the order of the caller's own rows."""

    def __init__(self) -> None:
        self.value: Floats = np.empty((0, 4))
        self.speed: Floats = np.empty((0, 4))
        self._var_value: Floats = np.empty((0, 4))
        self._cov: Floats = np.empty((0, 4))
        self._var_speed: Floats = np.empty((0, 4))

    def add(self, measured: Floats) -> None:
        """Begin a row for each box of `measured` (k, 4), centre and size."""
        side = _longer_side(measured)
        self.value = np.concatenate((self.value, measured))
        self.speed = np.concatenate((self.speed, np.zeros_like(measured)))
        self._var_value = np.concatenate((self._var_value, (MEASUREMENT_STD * side) ** 2))
        self._cov = np.concatenate((self._cov, np.zeros_like(measured)))
        self._var_speed = np.concatenate((self._var_speed, (FIRST_SPEED_STD * side) ** 2))

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Drop every row that is not among `rows`."""
        for name in ("value", "speed", "_var_value", "_cov", "_var_speed"):
            setattr(self, name, getattr(self, name)[rows])

    def predict(self, dt_s: float) -> None:
        """Move every row `dt_s` seconds on."""
        density = (ACCELERATION_STD * _longer_side(self.value)) ** 2
        self.value = self.value + dt_s * self.speed
        self.value[:, 2:] = np.maximum(self.value[:, 2:], 1.0)
        self.speed[:, 2:] *= np.exp(-dt_s / SIZE_SPEED_FADES_S)
        self._var_value = self._var_value + 2 * dt_s * self._cov + dt_s**2 * self._var_speed + density * dt_s**3 / 3
        self._cov = self._cov + dt_s * self._var_speed + density * dt_s**2 / 2
        self._var_speed = self._var_speed + density * dt_s

    def update(self, rows: NDArray[np.intp], measured: Floats) -> None:
        """Correct `rows` by the boxes measured for them (k, 4)."""
        var_value, cov = self._var_value[rows], self._cov[rows]
        innovation_var = self._innovation_var(rows)
        gain_value, gain_speed = var_value / innovation_var, cov / innovation_var
        surprise = measured - self.value[rows]
        self.value[rows] += gain_value * surprise
        self.speed[rows] += gain_speed * surprise
        self._var_value[rows] = (1 - gain_value) * var_value
        self._var_speed[rows] -= gain_speed * cov
        self._cov[rows] = (1 - gain_value) * cov

    def centre_std(self) -> Floats:
        """Standard deviation (n, 2) of what a measured centre may be off from `value`."""
        rows = np.arange(len(self.value))
        return np.asarray(np.sqrt(self._innovation_var(rows)[:, :2]))

    def _innovation_var(self, rows: NDArray[np.intp]) -> Floats:
        noise: Floats = (MEASUREMENT_STD * _longer_side(self.value[rows])) ** 2
        return self._var_value[rows] + noise


def _longer_side(boxes_cxcywh: Floats) -> Floats:
    return np.asarray(boxes_cxcywh[:, 2:].max(axis=1, keepdims=True))
