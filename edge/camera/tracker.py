"""Who is who from frame to frame, by where people are and how they move; never by what they look like.

Two stages after ByteTrack (Zhang et al., 2022): boxes of a high score are paired first and may begin tracks, boxes of
a low score may only continue one. Time is real: rates from 2 to 15 frames a second, uneven, with gaps.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.camera.detector import Detections
from edge.camera.few_tracks import FewTracks
from edge.camera.many_tracks import ManyTracks
from edge.camera.tracks import Register, TrackedPerson, TrackerLimits, TrackRules

__all__ = ["TrackedPerson", "Tracker", "TrackerLimits"]

_CROWD = 14
_CROWD_OVER = 9
"""From so many tracks or boxes on arrays are faster than plain numbers, and down to so many they are kept. Right after
an inference, with nothing of it in the processor's caches, array code costs three times what it does in a loop."""


class Tracker:
    """Follows people through one camera's frames of one size. Memory is bounded by `limits`."""

    def __init__(
        self, *, width_px: int, height_px: int, score_threshold: float, limits: TrackerLimits | None = None
    ) -> None:
        """`score_threshold` is what a box needs to begin a track."""
        self._limits = limits or TrackerLimits()
        rules = TrackRules(width_px, height_px, score_threshold, self._limits)
        self._register = Register()
        self._few = FewTracks(rules, self._register)
        self._many = ManyTracks(rules, self._register)
        self._now: FewTracks | ManyTracks = self._few
        self._now_s: float | None = None

    @property
    def confirmed_total(self) -> int:
        """How many tracks have become people."""
        return self._register.confirmed_total

    def update(
        self, detections: Detections, *, at_s: float, shares: Sequence[float] | None = None
    ) -> tuple[TrackedPerson, ...]:
        """Take one frame's boxes, seen at `at_s`; return every track still alive, whether seen in this frame or not.

        `shares` is how much of each box shows something else than the empty place, as `Background` says; without it
        every box counts in full.
        """
        at_s = self._advance(at_s)
        if not len(self._now) and not len(detections):
            return ()
        self._choose(max(len(self._now), len(detections)))
        return self._now.see(detections, at_s=at_s, shares=shares)

    def _advance(self, at_s: float) -> float:
        """Move to `at_s`; the time that is now, which a frame out of order does not turn back."""
        gap_s = 0.0 if self._now_s is None else at_s - self._now_s
        if abs(gap_s) > self._limits.max_gap_s:
            # The stream was away, or the camera's clock jumped: whoever is there now is new.
            self._now.hand_over()
            self._now_s = None
        self._now_s = at_s if self._now_s is None else max(at_s, self._now_s)
        self._now.advance(gap_s, now_s=self._now_s)
        return self._now_s

    def _choose(self, people: int) -> None:
        """Keep the tracks as suits their number; both ways of keeping them come to the same."""
        better = self._many if people >= _CROWD else self._few if people <= _CROWD_OVER else self._now
        if better is not self._now:
            better.take_over(self._now.hand_over())
            self._now = better
