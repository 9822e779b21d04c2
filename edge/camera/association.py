"""Which box belongs to which track: overlap first, nearness where nothing overlaps, the best choice for all together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edge.camera.kalman import Floats, to_xyxy

__all__ = ["Matches", "assign", "iou", "pair_costs", "share_within"]

Matches = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of the tracks and rows of the boxes, pair by pair."""

GATE_STD = 3.5
"""A box farther from the prediction than so many standard deviations is somebody else."""

LOG_SIZE_RATIO = float(np.log(3))
SURE_OVERLAP = 0.3
"""A box three times as wide or high as predicted is somebody else, unless the two overlap well."""


def iou(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m)."""
    common = _common_area(a_xyxy, b_xyxy)
    area_a = np.prod(a_xyxy[:, 2:] - a_xyxy[:, :2], axis=1)
    area_b = np.prod(b_xyxy[:, 2:] - b_xyxy[:, :2], axis=1)
    return np.asarray(common / np.maximum(area_a[:, None] + area_b[None, :] - common, 1e-9))


def share_within(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """The share (n, m) of each box of `a` (n, 4) that lies within each box of `b` (m, 4)."""
    area = np.prod(a_xyxy[:, 2:] - a_xyxy[:, :2], axis=1)
    return np.asarray(_common_area(a_xyxy, b_xyxy) / np.maximum(area, 1e-9)[:, None])


def pair_costs(predicted: Floats, measured: Floats, *, centre_std: Floats) -> tuple[Floats, Floats]:
    """Cost and overlap (n, m) of pairing each of `predicted` (n, 4) with each of `measured` (m, 4), centre and size.

    A pair costs one less its overlap, plus the distance of the centres in heights: at 5 frames a second people move
    more than their own width, and overlap alone would lose them. What lies outside the gate of `centre_std` (n, 2)
    costs infinity.
    """
    overlap = iou(to_xyxy(predicted), to_xyxy(measured))
    offset = measured[None, :, :2] - predicted[:, None, :2]
    height = np.maximum(predicted[:, None, 3], measured[None, :, 3])
    cost = 1 - overlap + np.hypot(offset[..., 0], offset[..., 1]) / height
    near = ((offset / centre_std[:, None, :]) ** 2).sum(axis=2) <= GATE_STD**2
    ratio = np.abs(np.log(measured[None, :, 2:] / predicted[:, None, 2:])).max(axis=2)
    alike = (near & (ratio <= LOG_SIZE_RATIO)) | (overlap >= SURE_OVERLAP)
    return np.where(alike, cost, np.inf), overlap


def assign(cost: Floats, *, limit: float) -> Matches:
    """The pairs of least total cost; what costs `limit` or more stays unpaired."""
    # An impossible pair costs exactly the limit: leaving two unpaired is then never bought by mispairing two others.
    tracks, boxes = linear_sum_assignment(np.minimum(cost, limit))
    good = cost[tracks, boxes] < limit
    return tracks[good], boxes[good]


def _common_area(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=2))
