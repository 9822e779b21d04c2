"""One door, two cameras: what both have seen is one crossing.

The first camera to tell a crossing counts it, at once; the other's is then recognised as the same and dropped. Taking the
oldest that waits each time pairs as many as can be paired, when crossings come in the order in which they happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from edge.facts import Crossing, Direction, Fact, GroupEntered
from edge.settings import EntranceSettings, Settings

__all__ = ["EntranceMerger"]

_LATEST_S = 15.0
"""How much later than another camera's a crossing may be told: the staff sieve holds it back for up to ten seconds."""

_REMEMBERED_MOST = 2000
_CLOCK_S = 1e-5
"""Two moments as floats are equal within this."""


@dataclass(slots=True)
class _Told:
    """A crossing that counted, and the cameras that have seen it."""

    at_s: float
    direction: Direction
    cameras: set[str]


@dataclass(slots=True)
class _Door:
    within_s: float
    told: list[_Told] = field(default_factory=list)
    latest_s: float = 0.0


class EntranceMerger:
    """Drops crossings that another camera of the same entrance has told. Any thread may use it; its memory is bounded."""

    def __init__(self, *, entrance_of: dict[tuple[str, str], str], within_s: dict[str, float]) -> None:
        """`entrance_of` names the entrance of (camera, line); `within_s` how far apart two cameras see the same person."""
        self._doors = {name: _Door(seconds) for name, seconds in within_s.items()}
        self._door_of = {place: name for place, name in entrance_of.items() if name in self._doors}
        self._cameras_of = {
            name: tuple(dict.fromkeys(camera for (camera, _), door in self._door_of.items() if door == name))
            for name in self._doors
        }
        self._lock = Lock()

    @classmethod
    def of(cls, settings: Settings) -> EntranceMerger:
        """A merger for the entrances that more than one camera watches."""
        entrance_of = {
            (camera.id, line.name): line.entrance
            for camera in settings.cameras
            for line in camera.lines
            if line.entrance is not None and line.kind == "visitors"
        }
        seen_by: dict[str, set[str]] = defaultdict(set)
        for (camera_id, _), name in entrance_of.items():
            seen_by[name].add(camera_id)
        default_s = EntranceSettings(name="any").merge_within_s
        within_s = {entrance.name: entrance.merge_within_s for entrance in settings.entrances}
        shared = {name: within_s.get(name, default_s) for name, cameras in seen_by.items() if len(cameras) > 1}
        return cls(entrance_of=entrance_of, within_s=shared)

    def merge(self, facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """`facts` without what another camera has told already."""
        if not self._doors or not facts:
            return tuple(facts)
        with self._lock:
            return tuple(fact for fact in facts if self._counts(fact))

    def _counts(self, fact: Fact) -> bool:
        if isinstance(fact, GroupEntered):
            # Whether two groups are the same people no time can tell: the first camera of the entrance speaks for it.
            cameras = self._cameras_of.get(fact.line, ())
            return fact.camera not in cameras or fact.camera == cameras[0]
        if not isinstance(fact, Crossing):
            return True
        name = self._door_of.get((fact.camera, fact.line))
        return name is None or self._is_first(self._doors[name], fact)

    @staticmethod
    def _is_first(door: _Door, crossing: Crossing) -> bool:
        at_s = crossing.occurred_at.timestamp()
        door.latest_s = max(door.latest_s, at_s)
        door.told = [one for one in door.told if one.at_s >= door.latest_s - door.within_s - _LATEST_S]
        same = [
            one
            for one in door.told
            if one.direction == crossing.direction
            and crossing.camera not in one.cameras
            and abs(one.at_s - at_s) <= door.within_s + _CLOCK_S
        ]
        if same:
            min(same, key=lambda one: one.at_s).cameras.add(crossing.camera)
            return False
        door.told = [*door.told[-_REMEMBERED_MOST:], _Told(at_s, crossing.direction, {crossing.camera})]
        return True
