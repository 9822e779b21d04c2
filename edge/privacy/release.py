"""The release gate: the only door out for counts of people.

Pure: it is given pending counts and what the day has spent, and answers what may leave. `edge.privacy.round` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.privacy.noise import Noise
from edge.settings import PrivacySettings

__all__ = ["Budget", "PendingWindow", "ReleaseGate", "Released", "Suppressed", "Verdict"]

_FLOAT_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class PendingWindow:
    """What one cell counted in one closed release window [start_s, end_s) and has not let out."""

    start_s: int
    end_s: int
    count: int


@dataclass(frozen=True, slots=True)
class Released:
    """`count` (noisy, never below zero) may leave for [start_s, end_s); it cost `epsilon`."""

    start_s: int
    end_s: int
    count: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Too few for too long: what [start_s, end_s) counted never leaves."""

    start_s: int
    end_s: int


Verdict = Released | Suppressed


@dataclass(slots=True)
class Budget:
    """What a metric may still spend today; refuses to go below zero."""

    left: float

    def take(self, epsilon: float) -> bool:
        """Spend `epsilon` if it is there; False, and nothing spent, if it is not."""
        if epsilon > self.left + _FLOAT_SLACK:
            return False
        self.left -= epsilon
        return True


class ReleaseGate:
    """k-threshold, then noise, then the budget; below k a window is merged into the next."""

    def __init__(self, settings: PrivacySettings, *, noise: Noise) -> None:
        self._settings = settings
        self._noise = noise

    def judge(self, windows: Iterable[PendingWindow], *, budget: Budget, now_s: int) -> list[Verdict]:
        """Verdicts for one cell's closed windows of one day, oldest first; what gets none stays pending and may merge.

        A count below k waits for the next window and leaves with it. What still lacks k after `merge_limit_s` is suppressed
        for good. With the budget spent nothing is released; it stays pending until it is suppressed by age.
        """
        verdicts: list[Verdict] = []
        carried: list[PendingWindow] = []
        for window in windows:
            carried.append(window)
            total = sum(part.count for part in carried)
            epsilon = self._settings.epsilon_per_release
            if total >= self._settings.k and budget.take(epsilon):
                noisy = max(0, self._noise(total, epsilon))
                verdicts.append(Released(carried[0].start_s, window.end_s, noisy, epsilon))
                carried.clear()
        if carried and now_s - carried[0].start_s > self._settings.merge_limit_s:
            stale = [part for part in carried if now_s - part.start_s > self._settings.merge_limit_s]
            verdicts.append(Suppressed(stale[0].start_s, stale[-1].end_s))
        return verdicts
