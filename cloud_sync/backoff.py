"""How long to wait after a failure: twice as long each time, never all stores at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(slots=True)
class Backoff:
    """Counts failures in a row and says how long to wait.

    `jitter` returns a number in [0, 1): when HQ comes back, thousands of stores must not ask in the same second.
    """

    first_s: float
    longest_s: float
    jitter: Callable[[], float]
    failures: int = 0

    def failed(self) -> float:
        """Note a failure; seconds to wait, between half and the whole of the doubled delay."""
        delay_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self._spread(delay_s)

    def hopeless(self) -> float:
        """Note a failure that somebody must mend; seconds to wait, near the longest."""
        self.failures += 1
        return self._spread(self.longest_s)

    def succeeded(self) -> None:
        """Note a success: the next failure starts from the shortest delay."""
        self.failures = 0

    def _spread(self, delay_s: float) -> float:
        return delay_s * (0.5 + 0.5 * self.jitter())
