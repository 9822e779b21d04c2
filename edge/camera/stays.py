"""Who is in which area, and for how long.

A foot point jitters, so being inside is smoothed over a second and switches with hysteresis: somebody on the
border neither comes nor goes with every frame. What is known of a track goes with the track.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal

from edge.camera.polygon import Polygon
from edge.camera.tracker import TrackedPerson
from edge.settings import AreaSettings

__all__ = ["StayChange", "Stays"]

SMOOTHING_S = 1.0
ENTER_AT, LEAVE_AT, FIRST_SIGHT = 0.65, 0.2, 0.5
"""Smoothed share of being inside at which somebody has come, or gone; and where somebody first seen inside begins."""

LONGEST_STEP_S = 1.0
"""A track that was lost for longer and found again is believed to have been there for so much of it."""

Change = Literal["entered", "visited", "left"]


@dataclass(frozen=True, slots=True)
class StayChange:
    """Something about one track and one area: it `entered`, has been there long enough to be a visit, or `left`.

    `since_s` and `until_s` are its first and its last sight in the area; `visited` says of one who left whether it was a
    visit.
    """

    change: Change
    track_id: int
    area: AreaSettings
    since_s: float
    until_s: float
    visited: bool

    @property
    def dwell_s(self) -> float:
        """From first to last sight."""
        return self.until_s - self.since_s


@dataclass(slots=True)
class _Presence:
    inside: float
    since_s: float
    until_s: float
    seen_s: float
    entered: bool = False
    visited: bool = False


class Stays:
    """Follows tracks through the areas of one camera's picture of one size."""

    def __init__(self, areas: Sequence[AreaSettings], *, width_px: int, height_px: int) -> None:
        self._areas = [(area, Polygon(area.polygon)) for area in areas]
        self._scale = (1 / width_px, 1 / height_px)
        self._presences: dict[tuple[int, int], _Presence] = {}

    def update(self, people: Iterable[TrackedPerson], *, at_s: float) -> list[StayChange]:
        """What changed with this frame, seen at `at_s`; `people` are all live tracks."""
        changes: list[StayChange] = []
        alive: set[int] = set()
        for person in people:
            alive.add(person.track_id)
            if person.missing_s == 0 and self._areas:  # a guess is no sight
                changes += self._look(person, at_s)
        ended = [key for key in self._presences if key[0] not in alive]
        for key in ended:
            changes += self._leave(key)
        return changes

    def present(self, area: AreaSettings) -> list[int]:
        """Tracks whose stay in `area` is a visit by now."""
        return [
            track_id
            for (track_id, index), presence in self._presences.items()
            if presence.visited and self._areas[index][0].name == area.name
        ]

    def _look(self, person: TrackedPerson, at_s: float) -> list[StayChange]:
        changes: list[StayChange] = []
        x, y = person.foot_xy[0] * self._scale[0], person.foot_xy[1] * self._scale[1]
        for index, (_, polygon) in enumerate(self._areas):
            key = person.track_id, index
            inside = polygon.contains(x, y)
            if inside and key not in self._presences:
                self._presences[key] = _Presence(FIRST_SIGHT, at_s, at_s, at_s)
            presence = self._presences.get(key)
            if presence is None:
                continue
            self._smooth(presence, inside=inside, at_s=at_s)
            if presence.inside <= LEAVE_AT:
                changes += self._leave(key)
            elif person.confirmed:
                changes += self._stay(key, presence)
        return changes

    @staticmethod
    def _smooth(presence: _Presence, *, inside: bool, at_s: float) -> None:
        passed_s = min(max(at_s - presence.seen_s, 0.0), LONGEST_STEP_S)
        presence.inside += (float(inside) - presence.inside) * (1 - exp(-passed_s / SMOOTHING_S))
        presence.seen_s = at_s
        if inside:
            presence.until_s = max(presence.until_s, at_s)

    def _stay(self, key: tuple[int, int], presence: _Presence) -> list[StayChange]:
        area = self._areas[key[1]][0]
        changes: list[StayChange] = []
        if not presence.entered and presence.inside >= ENTER_AT:
            presence.entered = True
            changes.append(_change("entered", key[0], area, presence))
        lasts = presence.until_s - presence.since_s >= area.counts_after_s
        if presence.entered and not presence.visited and lasts:
            presence.visited = True
            changes.append(_change("visited", key[0], area, presence))
        return changes

    def _leave(self, key: tuple[int, int]) -> list[StayChange]:
        presence = self._presences.pop(key)
        return [_change("left", key[0], self._areas[key[1]][0], presence)] if presence.entered else []


def _change(change: Change, track_id: int, area: AreaSettings, presence: _Presence) -> StayChange:
    return StayChange(change, track_id, area, presence.since_s, presence.until_s, presence.visited)
