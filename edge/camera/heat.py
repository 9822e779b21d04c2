"""Where in the picture people are: a grid of time spent, and of how many lingered.

The two are kept apart on purpose. Time stays on the box: one person who waits an hour would stand out in it, whatever noise
is added. How many lingered may leave: a track adds at most 1 to a cell, to a few cells in all (decision record 0007).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from edge.camera.deeds import Deed
from edge.camera.elapsed import Elapsed
from edge.camera.slot_sums import SlotSums
from edge.camera.tracker import TrackedPerson
from edge.clock import from_epoch_s
from edge.facts import HeatSeen, HeatTime
from edge.settings import HeatSettings

__all__ = ["CELLS_PER_TRACK", "HeatGrid"]

LINGER_S = 1.0
CELLS_PER_TRACK = 16
"""A visitor's whole contribution to what may leave is at most so much."""

Cell = tuple[int, int]


class HeatGrid:
    """The heat of one camera's picture of one size. What it knows of a track goes with the track."""

    def __init__(self, settings: HeatSettings, *, camera: str, width_px: int, height_px: int) -> None:
        self._shape = (settings.columns, settings.rows)
        self._size = (width_px, height_px)
        self._camera = camera
        self._elapsed = Elapsed(longest_s=1.0)
        self._sums: SlotSums[Cell] = SlotSums()
        self._spent_s: dict[int, dict[Cell, float]] = {}
        self._told: dict[int, int] = defaultdict(int)

    def update(self, people: Iterable[TrackedPerson], *, at_s: float) -> tuple[list[Deed], list[HeatTime]]:
        """Take the visitors of a frame: who has come to linger in a cell, and, now and then, the time spent."""
        passed_s = self._elapsed.step(at_s)
        alive: set[int] = set()
        deeds: list[Deed] = []
        for person in people:
            alive.add(person.track_id)
            cell = self._cell(person)
            if cell is not None and person.confirmed and person.missing_s == 0:
                self._sums.add(cell, passed_s)
                deeds += self._linger(person.track_id, cell, passed_s=passed_s, at_s=at_s)
        for track_id in self._spent_s.keys() - alive:
            del self._spent_s[track_id]
            self._told.pop(track_id, None)
        return deeds, self._facts(*self._sums.turn(at_s))

    def close(self) -> list[HeatTime]:
        """The time that has not been told yet."""
        return self._facts(*self._sums.close())

    def _cell(self, person: TrackedPerson) -> Cell | None:
        x, y = (foot / side for foot, side in zip(person.foot_xy, self._size, strict=True))
        if not (0 <= x < 1 and 0 <= y < 1):
            return None
        return int(x * self._shape[0]), int(y * self._shape[1])

    def _linger(self, track_id: int, cell: Cell, *, passed_s: float, at_s: float) -> list[Deed]:
        spent = self._spent_s.setdefault(track_id, {})
        before_s = spent.get(cell, 0.0)
        spent[cell] = before_s + passed_s
        if not before_s < LINGER_S <= spent[cell] or self._told[track_id] >= CELLS_PER_TRACK:
            return []
        self._told[track_id] += 1
        return [Deed(track_id, at_s, HeatSeen(from_epoch_s(at_s), self._camera, *cell))]

    def _facts(self, slot_s: int, sums: dict[Cell, int]) -> list[HeatTime]:
        at = from_epoch_s(slot_s)
        return [HeatTime(at, self._camera, column, row, ms) for (column, row), ms in sums.items()]
