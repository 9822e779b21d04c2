"""What becomes of each camera's pictures: how many came, were looked at, were spared the look, or had to give way."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

__all__ = ["FATES", "SLICE_S", "Fate", "FrameBudget"]

Fate = Literal["received", "analysed", "spared", "superseded", "refused"]
FATES: tuple[Fate, ...] = ("received", "analysed", "spared", "superseded", "refused")
"""Every picture is received and then one of the others: looked at, unchanged, replaced by a newer one while it waited, or
refused by the guard or the consent gate."""

SLICE_S = 10
_SLICES = 6
"""A minute in slices: figures are of the last minute, and six times a minute they are told anew."""


class FrameBudget:
    """Pictures a minute by camera and fate, told as the gauges `frames_{fate}/{camera}`. Its owner calls it under one lock."""

    def __init__(self, cameras: Iterable[str], *, gauge: Callable[[str, float], object]) -> None:
        """`gauge` takes a name and a value. A camera that sends no pictures has no gauges."""
        self._gauge = gauge
        self._slices = {camera: deque([Counter[Fate]()], maxlen=_SLICES + 1) for camera in cameras}
        self._told: set[str] = set()
        self._ends_s: float | None = None

    def note(self, camera: str, fate: Fate) -> None:
        """One picture of `camera` met its fate."""
        self._slices[camera][-1][fate] += 1

    def pass_to(self, at: datetime) -> None:
        """It is `at` now. At the end of a slice every camera's figures of the last minute are told."""
        at_s = at.timestamp()
        if self._ends_s is None or at_s < self._ends_s - SLICE_S:
            self._ends_s = at_s + SLICE_S  # the first message, or a clock that was put back
        if at_s < self._ends_s:
            return
        slices = 1 + int((at_s - self._ends_s) // SLICE_S)
        self._ends_s += slices * SLICE_S
        for camera, kept in self._slices.items():
            for _ in range(min(slices, _SLICES + 1)):
                kept.append(Counter())
            self._tell(camera)

    def _tell(self, camera: str) -> None:
        """The figures of a camera with pictures in the last minute; once they are none, that is told once."""
        *whole, _ = self._slices[camera]
        total = sum(whole, Counter[Fate]())
        if not total and camera not in self._told:
            return
        for fate in FATES:
            self._gauge(f"frames_{fate}/{camera}", total[fate] * _SLICES / len(whole))
        (self._told.add if total else self._told.discard)(camera)
