"""A constant-velocity Kalman filter for many boxes at once, with the real time between frames.

Centre x, centre y, width and height are filtered as four independent pairs of (value, speed), so every covariance is
a symmetric 2 x 2 matrix and the whole bank needs no matrix inversion: 30 people cost about as much as one. Both
coordinates of a centre are equally uncertain, and so are width and height: they share their covariance.
Noise is in units of the box's longer side, so that people far from and near to the camera are treated alike.

Boxes lie in columns, so that each quantity is one contiguous row and a step is a handful of calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.camera.tracks import Track

__all__ = [
    "ACCELERATION_VAR",
    "FIRST_SPEED_VAR",
    "LEAST_SIDE_PX",
    "MEASUREMENT_VAR",
    "SIZE_SPEED_FADES_S",
    "Columns",
    "Floats",
    "KalmanBank",
]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp] | slice
"""Some boxes of a bank by their columns; a slice where it is all of them."""

MEASUREMENT_VAR = np.array(((0.035,), (0.07,))) ** 2
"""How far a detector's box is off, centre and size; a width swings with every stride."""

ACCELERATION_VAR = np.array(((0.9,), (0.3,))) ** 2
"""Per second: somebody who stands walks at full pace (0.8 heights a second) within one second."""

FIRST_SPEED_VAR = np.array(((0.7,), (0.2,))) ** 2
"""What is known of the speed of someone seen for the first time, in longer sides a second."""

SIZE_SPEED_FADES_S = 0.3
"""Somebody who walks behind a shelf has a box that shrinks; it must not go on shrinking while nobody is seen."""

LEAST_SIDE_PX = 1.0


_STATE = ("x", "y", "w", "h", "speed_x", "speed_y", "speed_w", "speed_h")
_SPREAD = ("point_var", "size_var", "point_cov", "size_cov", "point_speed_var", "size_speed_var")


class KalmanBank:
    """The state of n boxes; columns are added at the end and dropped by index, as the caller's own."""

    def __init__(self) -> None:
        self._state: Floats = np.empty((2, 2, 2, 0))
        """Value and speed; centre and size; x and y (width and height); box."""
        self._spread: Floats = np.empty((4, 2, 0))
        """Variance of the value, covariance, variance of the speed, noise density; centre and size; box."""

    @classmethod
    def of(cls, tracks: Sequence[Track]) -> KalmanBank:
        """The bank that goes on with the filters of `tracks`."""
        bank = cls()
        state = np.array([[getattr(track, name) for track in tracks] for name in _STATE])
        spread = np.array([[getattr(track, name) for track in tracks] for name in _SPREAD])
        bank._state = state.reshape(2, 2, 2, len(tracks))
        bank._spread = np.concatenate((spread.reshape(3, 2, len(tracks)), np.zeros((1, 2, len(tracks)))))
        return bank

    def records(self) -> Iterator[dict[str, Any]]:
        """Each box's filter by the names that `Track` has for its numbers."""
        rows = np.concatenate((self._state.reshape(8, -1), self._spread[:3].reshape(6, -1)))
        for column in rows.T.tolist():
            yield dict(zip((*_STATE, *_SPREAD), column, strict=True))

    @property
    def centre(self) -> Floats:
        """Centres (2, n), x and y."""
        return np.asarray(self._state[0, 0])

    @property
    def size(self) -> Floats:
        """Sizes (2, n), width and height."""
        return np.asarray(self._state[0, 1])

    def add(self, measured: Floats) -> None:
        """Begin a column for each box of `measured` (2, 2, k): centre and size, each of two coordinates."""
        square = _longer_side_squared(measured[1])
        spread = np.stack(
            (MEASUREMENT_VAR * square, np.zeros((2, len(square))), FIRST_SPEED_VAR * square, np.zeros((2, len(square))))
        )
        self._state = np.concatenate((self._state, np.stack((measured, np.zeros_like(measured)))), axis=-1)
        self._spread = np.concatenate((self._spread, spread), axis=-1)

    def keep(self, columns: NDArray[np.intp]) -> None:
        """Drop every column that is not among `columns`."""
        self._state = self._state.take(columns, axis=-1)
        self._spread = self._spread.take(columns, axis=-1)

    def predict(self, dt_s: float) -> None:
        """Move every box `dt_s` seconds on."""
        value, speed = self._state
        np.multiply(ACCELERATION_VAR, _longer_side_squared(value[1]), out=self._spread[3])
        value += dt_s * speed
        np.maximum(value[1], LEAST_SIDE_PX, out=value[1])
        speed[1] *= exp(-dt_s / SIZE_SPEED_FADES_S)
        step = np.array(
            (
                (1.0, 2 * dt_s, dt_s**2, dt_s**3 / 3),
                (0.0, 1.0, dt_s, dt_s**2 / 2),
                (0.0, 0.0, 1.0, dt_s),
            )
        )
        flat = self._spread.reshape(4, -1)
        flat[:3] = step @ flat

    def update(self, columns: Columns, measured: Floats) -> None:
        """Correct `columns` by the boxes measured for them (2, 2, k)."""
        # An index of its own for the first axis: beside an array of columns it would turn the axes round.
        value, (_, covariance, var_speed, _) = self._state[0], self._spread
        gain = self._spread[:2, :, columns] / self.innovation_var(columns)
        surprise = measured - value[..., columns]
        var_speed[:, columns] -= gain[1] * covariance[:, columns]
        self._spread[:2, :, columns] *= 1 - gain[0]
        self._state[..., columns] += gain[:, :, None] * surprise

    def innovation_var(self, columns: Columns = slice(None)) -> Floats:
        """Variance (2, n) of what a measured centre, a measured size may be off from the value."""
        noise = MEASUREMENT_VAR * _longer_side_squared(self.size[:, columns])
        return np.asarray(self._spread[0][:, columns] + noise)


def _longer_side_squared(size: Floats) -> Floats:
    longer = np.maximum(size[0], size[1])
    return np.asarray(longer * longer)
