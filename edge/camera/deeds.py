"""What one track did: a fact, and for a moment still whose and where it was."""

from __future__ import annotations

from dataclasses import dataclass

from edge.facts import Fact

__all__ = ["Deed"]


@dataclass(frozen=True, slots=True)
class Deed:
    """`fact` was done by a track at `foot_xy` (pixels), whose box was `width_px` wide. Only the fact leaves the camera room."""

    track_id: int
    at_s: float
    fact: Fact
    foot_xy: tuple[float, float] = (0.0, 0.0)
    width_px: float = 1.0
