"""How long to wait before the next try: twice as long each time, up to a bound, with jitter."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Waits of up to `first_s`, twice that, and so on up to `most_s`; each at least half of it, so that no shop's devices
    come back in one beat. `random` gives a number in [0, 1).
    """

    def __init__(self, *, first_s: float, most_s: float, random: Callable[[], float]) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._random = random
        self._bound_s = first_s

    def next_s(self) -> float:
        """Seconds to wait before the next try."""
        bound_s = self._bound_s
        self._bound_s = min(self._most_s, bound_s * 2)
        return bound_s * (0.5 + self._random() / 2)

    def reset(self) -> None:
        """It worked: start again from the shortest wait."""
        self._bound_s = self._first_s
