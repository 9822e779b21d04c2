"""How long the queues of one camera are. A length is kept as the time that it lasted: all else follows by adding."""

from __future__ import annotations

from collections.abc import Mapping

from edge.camera.elapsed import Elapsed
from edge.camera.slot_sums import SlotSums
from edge.clock import from_epoch_s
from edge.facts import QueueStood

__all__ = ["QueueLengths"]

LONGEST_STEP_S = 2.0
"""A silence of the camera is no queue of the length that was seen before it."""


class QueueLengths:
    """Clocks the length of each queue of one camera, frame by frame."""

    def __init__(self, *, camera: str) -> None:
        self._camera = camera
        self._elapsed = Elapsed(longest_s=LONGEST_STEP_S)
        self._before: Mapping[str, int] = {}
        self._sums: SlotSums[tuple[str, int]] = SlotSums()

    def update(self, lengths: Mapping[str, int], *, at_s: float) -> list[QueueStood]:
        """Take the people in each queue at `at_s`; facts come when a slot of some seconds is over."""
        passed_s = self._elapsed.step(at_s)
        for area, people in self._before.items():
            self._sums.add((area, people), passed_s)
        self._before = dict(lengths)
        return self._facts(*self._sums.turn(at_s))

    def close(self) -> list[QueueStood]:
        """The slot that is not over yet."""
        return self._facts(*self._sums.close())

    def _facts(self, slot_s: int, sums: Mapping[tuple[str, int], int]) -> list[QueueStood]:
        at = from_epoch_s(slot_s)
        return [QueueStood(at, self._camera, area, people, ms) for (area, people), ms in sums.items()]
