"""Sums over a few seconds, so that what changes with every frame becomes a fact only now and then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["SLOT_S", "SlotSums"]

SLOT_S = 5
"""Slots begin at whole multiples of this, so that a window of whole slots gets exactly what happened in it."""

K = TypeVar("K", bound=Hashable)


class SlotSums(Generic[K]):
    """Adds up milliseconds by key until its slot is over."""

    def __init__(self) -> None:
        self._slot: int | None = None
        self._ms: dict[K, float] = defaultdict(float)

    def add(self, key: K, seconds: float) -> None:
        """Add to the present slot."""
        if seconds > 0:
            self._ms[key] += 1e3 * seconds

    def turn(self, at_s: float) -> tuple[int, dict[K, int]]:
        """Go on to the slot that holds `at_s`; the start of the slot that ended by this and its sums, if there are any."""
        slot = int(at_s // SLOT_S) * SLOT_S
        ended, self._slot = self._slot, slot
        if ended is None or ended == slot:
            return slot, {}
        return ended, self._empty()

    def close(self) -> tuple[int, dict[K, int]]:
        """End the present slot."""
        return self._slot or 0, self._empty()

    def _empty(self) -> dict[K, int]:
        sums = {key: round(ms) for key, ms in self._ms.items() if round(ms)}
        self._ms.clear()
        return sums
