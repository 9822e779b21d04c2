"""Who went over a line, and which way.

A line is a bounded segment with a direction. Who walks along it from its first to its second point, as seen in the
picture, has a left and a right hand; `in` is a crossing from the left-hand to the right-hand side. In a picture y
points down, so (0, 0.5) to (1, 0.5) has its left hand above: downwards is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge.camera.tracker import TrackedPerson
from edge.facts import Direction
from edge.settings import LineSettings

__all__ = ["CountingLine", "touches_edge"]

BAND_HEIGHTS = 0.08
"""Half the width of the strip along the line, in heights of the person, in which nobody changes sides: about the
length of a shoe. Somebody who stands on the line is not counted for swaying."""

STEP_HEIGHTS = 0.4
"""Whoever is nearer to a line than a step may be about to cross it."""

EDGE_MARGIN = 0.02


def touches_edge(line: LineSettings) -> bool:
    """Whether the line lies along an edge of the picture, where people appear and vanish without crossing it."""
    (x1, y1), (x2, y2) = line.points
    return any(max(a, b) <= EDGE_MARGIN or min(a, b) >= 1 - EDGE_MARGIN for a, b in ((x1, x2), (y1, y2)))


@dataclass(slots=True)
class _Walk:
    """What a line remembers of one track: the side it stands on, and where it last went over the line."""

    settled: int
    side: int
    foot_xy: tuple[float, float]
    within: bool = True
    confirmed: bool = False
    owed: tuple[Direction, ...] = ()


class CountingLine:
    """Counts tracks over one line of pictures of one size. What it knows of a track goes with the track."""

    def __init__(self, settings: LineSettings, *, width_px: int, height_px: int) -> None:
        scale = np.array((width_px, height_px), np.float64)
        (self._ax, self._ay), (bx, by) = (np.asarray(settings.points) * scale).tolist()
        self._dx, self._dy = bx - self._ax, by - self._ay
        self._length = float(np.hypot(self._dx, self._dy))
        # The foot of a person cut by the picture's edge lies outside it; a line that ends there goes on for them.
        begin, end = settings.points
        self._extent = (-np.inf if _at_edge(begin) else 0.0, np.inf if _at_edge(end) else 1.0)
        self._walks: dict[int, _Walk] = {}
        self.name = settings.name

    def update(self, people: Iterable[TrackedPerson]) -> list[Direction]:
        """Crossings that became certain with this frame; `people` are all live tracks."""
        return [direction for _, direction in self.crossings(people)]

    def crossings(self, people: Iterable[TrackedPerson]) -> list[tuple[int, Direction]]:
        """Crossings that became certain with this frame, each with its track, which may just have ended."""
        alive: dict[int, _Walk] = {}
        crossed: list[tuple[int, Direction]] = []
        for person in people:
            walk = self._follow(person)
            alive[person.track_id] = walk
            crossed += [(person.track_id, direction) for direction in _pay(walk)]
        for track_id, walk in self._walks.items():
            if track_id not in alive:
                crossed += [(track_id, direction) for direction in self._last_step(walk)]
        self._walks = alive
        return crossed

    def near(self, person: TrackedPerson) -> bool:
        """Whether `person` stands within a step of the line."""
        return abs(self._across(person.foot_xy)) <= STEP_HEIGHTS * person.height_px

    def finish(self) -> list[Direction]:
        """Crossings of those still in view when the stream ends."""
        return self.update(())

    def _follow(self, person: TrackedPerson) -> _Walk:
        across = self._across(person.foot_xy)
        side = 1 if across > 0 else -1
        walk = self._walks.get(person.track_id)
        if walk is None:
            return _Walk(side, side, person.foot_xy, confirmed=person.confirmed)
        walk.confirmed = person.confirmed
        if person.missing_s > 0:
            return walk  # a guess is no crossing; where the track is found again decides
        if side != walk.side:
            walk.within = self._passes_between(walk.foot_xy, person.foot_xy)
        walk.side, walk.foot_xy = side, person.foot_xy
        if side != walk.settled and abs(across) > BAND_HEIGHTS * person.height_px:
            _settle(walk)
        return walk

    def _last_step(self, walk: _Walk) -> tuple[Direction, ...]:
        """Somebody who vanished on the line stays counted where last seen, as whoever appears on it begins there."""
        if walk.side != walk.settled:
            _settle(walk)
        return _pay(walk)

    def _across(self, foot_xy: tuple[float, float]) -> float:
        """Distance to the endless line in pixels, positive on the right-hand side."""
        x, y = foot_xy[0] - self._ax, foot_xy[1] - self._ay
        return float(self._dx * y - self._dy * x) / self._length

    def _passes_between(self, before: tuple[float, float], after: tuple[float, float]) -> bool:
        """Whether the step from `before` to `after` meets the line between its two ends."""
        reach_before, reach_after = self._across(before), self._across(after)
        share = reach_before / (reach_before - reach_after) if reach_before != reach_after else 0.5
        x = before[0] + share * (after[0] - before[0]) - self._ax
        y = before[1] + share * (after[1] - before[1]) - self._ay
        along = (x * self._dx + y * self._dy) / self._length**2
        return bool(self._extent[0] <= along <= self._extent[1])


def _at_edge(point: tuple[float, float]) -> bool:
    return any(part <= EDGE_MARGIN or part >= 1 - EDGE_MARGIN for part in point)


def _settle(walk: _Walk) -> None:
    """Move `walk` to the side it is on; that it crossed is owed until the track is confirmed."""
    if walk.within:
        direction: Direction = "in" if walk.side > 0 else "out"
        walk.owed = (*walk.owed, direction)[-2:]
    walk.settled = walk.side


def _pay(walk: _Walk) -> tuple[Direction, ...]:
    if not walk.confirmed:
        return ()
    owed, walk.owed = walk.owed, ()
    return owed
