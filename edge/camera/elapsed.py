"""How much time passed between two frames of one camera, whatever its clock says."""

from __future__ import annotations

__all__ = ["Elapsed"]

JUMP_S = 4.0
"""A clock that goes back by more was set, and time goes on from there; the tracker starts afresh then as well."""


class Elapsed:
    """Steps from frame to frame; never backwards, and never more than `longest_s` at once."""

    def __init__(self, *, longest_s: float) -> None:
        self._longest_s = longest_s
        self._now_s: float | None = None

    def step(self, at_s: float) -> float:
        """Seconds since the frame before, 0 to `longest_s`: what happened in a longer gap nobody has seen."""
        before_s = at_s if self._now_s is None else self._now_s
        passed_s = at_s - before_s
        if self._now_s is None or passed_s > 0 or passed_s < -JUMP_S:
            self._now_s = at_s
        return min(max(passed_s, 0.0), self._longest_s)
