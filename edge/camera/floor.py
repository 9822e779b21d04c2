"""Everything that is counted of one camera's tracks: lines, areas, queues, paths, windows, groups, heat; staff is not.

Each counter knows one thing. This module asks them in order for every frame and lets through what visitors did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from edge.camera.counting import CountingLine
from edge.camera.deeds import Deed
from edge.camera.entrance_count import EntranceCount
from edge.camera.groups import Groups
from edge.camera.heat import HeatGrid
from edge.camera.passing import Passing
from edge.camera.paths import Paths
from edge.camera.queues import QueueLengths
from edge.camera.staff import StaffSieve
from edge.camera.stays import StayChange, Stays
from edge.camera.tracker import TrackedPerson
from edge.clock import from_epoch_s
from edge.facts import (
    AreaVisited,
    CameIn,
    Crossing,
    Direction,
    Fact,
    PassedBy,
    PathTaken,
    QueueWaited,
    StayEnded,
    ZoneEntered,
)
from edge.settings import CameraSettings

__all__ = ["Floor"]

HOLD_S = 10.0
"""How long what somebody did is held back where staff can be told from visitors. Windows keep open for longer."""

_Crossed = list[tuple[str, int, Direction]]
"""Line, track and direction of crossings that count, but for whether they are staff's."""


class Floor:
    """Counts the tracks of one camera in pictures of one size; another size begins anew. Bounded by the live tracks."""

    def __init__(self, camera: CameraSettings, *, width_px: int, height_px: int) -> None:
        self._camera = camera
        self._lines = [(line, CountingLine(line, width_px=width_px, height_px=height_px)) for line in camera.lines]
        self._entrances = EntranceCount()
        self._stays = Stays(camera.areas, width_px=width_px, height_px=height_px)
        self._queues = QueueLengths(camera=camera.id)
        self._paths = Paths()
        self._passing = Passing()
        self._groups = Groups(entrance_of={line.name: line.entrance or line.name for line in camera.lines})
        self._heat = (
            HeatGrid(camera.heat, camera=camera.id, width_px=width_px, height_px=height_px) if camera.heat else None
        )
        kinds = {*(line.kind for line in camera.lines), *(area.kind for area in camera.areas)}
        self._hold_s = HOLD_S if "staff" in kinds else 0.0
        self._staff = StaffSieve(hold_s=self._hold_s)
        self._known: set[int] = set()
        self._before: dict[int, TrackedPerson] = {}

    def facts(self, people: Sequence[TrackedPerson], at: datetime) -> list[Fact]:
        """What this frame made certain; `people` are all live tracks."""
        at_s = at.timestamp()
        now = {person.track_id: person for person in people}
        self._before |= now  # a track that just ended did something where it was last seen
        crossed, stays = self._crossings(people), self._stays.update(people, at_s=at_s)
        self._notice_staff(stays)
        heat_deeds, timed = self._warm(people, at_s)
        deeds = [*self._arrivals(people, at), *self._line_deeds(crossed, at), *self._floor_deeds(stays, crossed, at)]
        due = self._staff.sift([*deeds, *heat_deeds], alive=now.keys(), at_s=at_s)
        for deed in due:
            self._groups.add(deed)
        groups = self._groups.close(until_s=at_s - self._hold_s)
        self._keep(now)
        return [*(deed.fact for deed in due), *groups, *self._queue_facts(at_s), *timed]

    def finish(self, at: datetime) -> list[Fact]:
        """End the stream: what is still held back or under way, and nobody is remembered."""
        facts = [*self.facts((), at), *self._groups.close(), *self._queues.close()]
        return [*facts, *self._heat.close()] if self._heat else facts

    def _crossings(self, people: Sequence[TrackedPerson]) -> _Crossed:
        found: _Crossed = []
        for settings, line in self._lines:
            for track_id, direction in line.crossings(people):
                if settings.kind == "staff":
                    self._staff.mark(track_id)
                elif settings.entrance is None or self._entrances.is_new(
                    track_id, direction, entrance=settings.entrance
                ):
                    found.append((settings.name, track_id, direction))
        return found

    def _notice_staff(self, stays: list[StayChange]) -> None:
        for stay in stays:
            if stay.area.kind == "staff" and stay.change == "visited":
                self._staff.mark(stay.track_id)

    def _arrivals(self, people: Sequence[TrackedPerson], at: datetime) -> Iterator[Deed]:
        for person in people:
            if person.confirmed and person.track_id not in self._known:
                self._known.add(person.track_id)
                yield self._deed(person.track_id, at, ZoneEntered(at, self._camera.zone))

    def _line_deeds(self, crossed: _Crossed, at: datetime) -> Iterator[Deed]:
        for line, track_id, direction in crossed:
            yield self._deed(track_id, at, Crossing(at, self._camera.id, line, direction))

    def _floor_deeds(self, stays: list[StayChange], crossed: _Crossed, at: datetime) -> Iterator[Deed]:
        for _, track_id, direction in crossed:
            if direction == "out":
                self._passing.went_out(track_id)
        for stay in stays:
            for fact in self._stay_facts(stay):
                yield self._deed(stay.track_id, at, fact)
        for _, track_id, direction in crossed:
            if direction == "in":
                for area in self._passing.went_in(track_id):
                    yield self._deed(track_id, at, CameIn(at, self._camera.id, area))

    def _stay_facts(self, stay: StayChange) -> Iterator[Fact]:
        camera, area, until = self._camera.id, stay.area, from_epoch_s(stay.until_s)
        if area.kind == "staff":
            return
        if stay.change == "entered" and area.kind == "window" and self._passing.appears(stay.track_id, area.name):
            yield PassedBy(until, camera, area.name)
        elif stay.change == "visited":
            yield AreaVisited(until, camera, area.name)
            origin = self._paths.visit(stay.track_id, area.name)
            if origin is not None:
                yield PathTaken(until, camera, origin, area.name)
        elif stay.change == "left" and stay.visited:
            ended = QueueWaited if area.kind == "queue" else StayEnded
            yield ended(until, camera, area.name, stay.dwell_s)

    def _warm(self, people: Sequence[TrackedPerson], at_s: float) -> tuple[list[Deed], Sequence[Fact]]:
        if self._heat is None:
            return [], ()
        return self._heat.update([person for person in people if person.track_id not in self._staff], at_s=at_s)

    def _queue_facts(self, at_s: float) -> Sequence[Fact]:
        queues = [area for area in self._camera.areas if area.kind == "queue"]
        lengths = {
            area.name: sum(track_id not in self._staff for track_id in self._stays.present(area)) for area in queues
        }
        return self._queues.update(lengths, at_s=at_s) if queues else ()

    def _deed(self, track_id: int, at: datetime, fact: Fact) -> Deed:
        person = self._before[track_id]
        left, _, right, _ = person.box_xyxy
        return Deed(track_id, at.timestamp(), fact, person.foot_xy, right - left)

    def _keep(self, now: dict[int, TrackedPerson]) -> None:
        self._before = now
        self._known.intersection_update(now)
        self._entrances.keep(now.keys())
        self._paths.keep(now.keys())
        self._passing.keep(now.keys())
