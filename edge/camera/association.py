"""Which box belongs to which track: overlap first, nearness where nothing overlaps, the best choice for all together.

Boxes lie in columns: a quantity of n boxes is (2, n), x and y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edge.camera.kalman import Floats

__all__ = ["Boxes", "Matches", "assign", "assign_plain", "pair_costs", "share_within"]

Matches = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of the tracks and columns of the boxes, pair by pair."""

GATE_STD = 3.5
"""A box farther from the prediction than so many standard deviations is somebody else."""


SURPRISE_PRICE = 0.2
SURPRISE_CAP = 5.0
"""A standard deviation off the prediction costs so much, up to so many: of two who pass each other the one with a
steady walk is known by it, and the one who was hidden a while may be anywhere near."""

HEIGHT_PRICE = 0.5
"""For a height so many times another, in natural logarithms: a child is not the adult who walks behind it."""

LOG_SIZE_RATIO = float(np.log(3))
SURE_OVERLAP = 0.3
"""A box three times as wide or high as predicted is somebody else, unless the two overlap well."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """n boxes of one frame: `low` and `high` corners, `centre` and `size`, each (2, n), x and y, in pixels."""

    low: Floats
    high: Floats
    centre: Floats
    size: Floats

    @classmethod
    def around(cls, centre: Floats, size: Floats) -> Boxes:
        """Boxes by where their centres are and how large they are."""
        half = size / 2
        return cls(centre - half, centre + half, centre, size)

    @classmethod
    def between(cls, low: Floats, high: Floats) -> Boxes:
        """Boxes by their corners."""
        size = high - low
        return cls(low, high, low + size / 2, size)

    def take(self, columns: NDArray[np.intp]) -> Boxes:
        """Those in `columns`, in that order."""
        return Boxes(
            self.low.take(columns, axis=1),
            self.high.take(columns, axis=1),
            self.centre.take(columns, axis=1),
            self.size.take(columns, axis=1),
        )


def share_within(inner: Boxes, outer: Boxes) -> Floats:
    """The share (n, m) of each box of `inner` that lies within each box of `outer`."""
    area = inner.size[0] * inner.size[1]
    return np.asarray(_common_area(inner, outer) / np.maximum(area, 1e-9)[:, None])


def pair_costs(predicted: Boxes, found: Boxes, *, centre_var: Floats) -> tuple[Floats, Floats]:
    """Cost and overlap (n, m) of pairing each of the n `predicted` with each of the m `found`.

    A pair costs one less its overlap, plus the distance of the centres in heights: at 5 frames a second people move
    more than their own width, and overlap alone would lose them. To that come the surprise, by `centre_var` (n),
    pixels squared each way, and the change of height. What lies outside the gate costs infinity.
    """
    common = _common_area(predicted, found)
    area, found_area = predicted.size[0] * predicted.size[1], found.size[0] * found.size[1]
    overlap = common / np.maximum(area[:, None] + found_area - common, 1e-9)
    offset = found.centre[:, None] - predicted.centre[:, :, None]
    offset *= offset
    distance = np.sqrt(offset[0] + offset[1])
    surprise = distance / np.sqrt(centre_var)[:, None]
    ratio = np.abs(np.log(found.size)[:, None] - np.log(predicted.size)[:, :, None])
    cost = 1 - overlap + distance / np.maximum(predicted.size[1][:, None], found.size[1])
    cost += np.minimum(surprise, SURPRISE_CAP) * SURPRISE_PRICE
    cost += ratio[1] * HEIGHT_PRICE
    alike = surprise <= GATE_STD
    alike &= np.maximum(ratio[0], ratio[1]) <= LOG_SIZE_RATIO
    alike |= overlap >= SURE_OVERLAP
    return np.where(alike, cost, np.inf), overlap


def assign(cost: Floats, *, limit: float) -> Matches:
    """The pairs of least total cost; what costs `limit` or more stays unpaired."""
    # An impossible pair costs exactly the limit: leaving two unpaired is then never bought by mispairing two others.
    tracks, boxes = linear_sum_assignment(np.minimum(cost, limit))
    good = cost[tracks, boxes] < limit
    return tracks[good], boxes[good]


def assign_plain(costs: list[list[float]], *, limit: float) -> list[tuple[int, int]]:
    """The same for plain numbers, row by row; where no two want the same, nothing need be weighed."""
    wanted = [(min(row), row) for row in costs]
    pairs = [(index, row.index(least)) for index, (least, row) in enumerate(wanted) if least < limit]
    if len({column for _, column in pairs}) == len(pairs):
        return pairs
    rows, columns = assign(np.array(costs), limit=limit)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _common_area(some: Boxes, others: Boxes) -> Floats:
    sides = np.minimum(some.high[:, :, None], others.high[:, None])
    sides -= np.maximum(some.low[:, :, None], others.low[:, None])
    np.maximum(sides, 0, out=sides)
    return np.asarray(sides[0] * sides[1])
