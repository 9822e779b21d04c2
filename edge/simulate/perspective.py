"""A pinhole camera high on a wall: from metres in the shop to pixels in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["View"]

_NEAREST_M = 0.25  # what is nearer, or behind the lens, is projected as if it were this far


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Camera above (0, 0) of the floor, looking along +y and down; x is right, z is up, in metres."""

    width: int
    height: int
    focal_px: float
    height_m: float
    pitch_rad: float

    @classmethod
    def of_angles(cls, *, width: int, height: int, across_deg: float, height_m: float, pitch_deg: float) -> View:
        """A view given by its horizontal angle of view and its tilt below the horizon, in degrees."""
        focal = width / 2 / math.tan(math.radians(across_deg) / 2)
        return cls(width=width, height=height, focal_px=focal, height_m=height_m, pitch_rad=math.radians(pitch_deg))

    def project(self, points_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels (n, 2) and depths in metres (n,) of points (n, 3)."""
        sin, cos = math.sin(self.pitch_rad), math.cos(self.pitch_rad)
        above = points_m[:, 2] - self.height_m
        depth = np.maximum(points_m[:, 1] * cos - above * sin, _NEAREST_M)
        scale = self.focal_px / depth
        pixels = np.empty((len(points_m), 2))
        pixels[:, 0] = self.width / 2 + points_m[:, 0] * scale
        pixels[:, 1] = self.height / 2 - (points_m[:, 1] * sin + above * cos) * scale
        return pixels, depth

    def floor_at(self, x_px: float, y_px: float) -> tuple[float, float] | None:
        """The floor point (x, y) in metres seen at a pixel; None at or above the horizon."""
        sin, cos = math.sin(self.pitch_rad), math.cos(self.pitch_rad)
        right = (x_px - self.width / 2) / self.focal_px
        down = (y_px - self.height / 2) / self.focal_px
        falling = sin + down * cos
        if falling <= 1e-3:
            return None
        reach = self.height_m / falling
        return right * reach, (cos - down * sin) * reach
