"""Keeping time: producers follow the wall clock, and whoever comes late leaves something out or slips."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event

__all__ = ["FrameSlots", "Metronome"]


class FrameSlots:
    """The times at which a camera takes pictures, in seconds after `started_s`; each is yielded when it has come.

    Slots missed because the last picture took too long are left out and counted: time is never stretched.
    """

    def __init__(
        self,
        *,
        fps: float,
        until_s: float | None,
        started_s: float,
        stop: Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fps = fps
        self._until_s = until_s
        self._started_s = started_s
        self._stop = stop
        self._monotonic = monotonic
        self.skipped = 0

    def __iter__(self) -> Iterator[float]:
        index = 0
        while True:
            now_s = self._monotonic() - self._started_s
            newest = int(now_s * self._fps)
            if newest > index:
                self.skipped += newest - index
                index = newest
            at_s = index / self._fps
            if (self._until_s is not None and at_s >= self._until_s) or self._stop.wait(max(0.0, at_s - now_s)):
                return
            yield at_s
            index += 1


class Metronome:
    """An even beat for a source whose every picture counts: a late beat moves those after it, and none is left out."""

    def __init__(self, *, fps: float, stop: Event, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._period_s = 1 / fps
        self._stop = stop
        self._monotonic = monotonic
        self._due_s: float | None = None

    def wait(self) -> bool:
        """Wait for the next beat; False once stopped."""
        now_s = self._monotonic()
        due_s = now_s if self._due_s is None else self._due_s
        # One period may be caught up, so that jitter does not add up to a slower film; more would be a burst.
        self._due_s = max(due_s + self._period_s, now_s)
        return not self._stop.wait(max(0.0, due_s - now_s))
