"""Tracks by hand, for tests of what is counted of them: a picture of 1000 x 500 pixels, times in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.camera.floor import Floor
from edge.camera.tracker import TrackedPerson
from edge.clock import from_epoch_s
from edge.facts import Fact
from edge.settings import CameraSettings

Point = tuple[float, float]
WIDTH, HEIGHT = 1000, 500
FPS = 5.0


def camera(**tables: object) -> CameraSettings:
    """A camera `cam` in zone `hall`."""
    return CameraSettings.model_validate({"id": "cam", "zone": "hall", **tables})


def square(name: str, *, left: float, right: float, top: float = 0.0, bottom: float = 1.0, **more: object) -> dict:
    """An area of `store.toml`."""
    return {"name": name, "polygon": [(left, top), (right, top), (right, bottom), (left, bottom)], **more}


def person(
    foot: Point, *, track_id: int = 1, confirmed: bool = True, missing_s: float = 0.0, width: float = 40.0
) -> TrackedPerson:
    """A track whose foot stands at `foot`, relative coordinates."""
    x, y = foot[0] * WIDTH, foot[1] * HEIGHT
    box = (x - width / 2, y - 100, x + width / 2, y)
    return TrackedPerson(track_id, box, (x, y), confirmed, 0.8, missing_s, False)


def straight(start: Point, end: Point, *, seconds: float, fps: float = FPS) -> list[Point]:
    """Feet of somebody who goes from `start` to `end` within `seconds`, both ends included."""
    steps = max(1, round(seconds * fps))
    return [
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(steps + 1)
    ]


def standing(at: Point, *, seconds: float, fps: float = FPS) -> list[Point]:
    """Feet of somebody who stands still."""
    return straight(at, at, seconds=seconds, fps=fps)


@dataclass
class Stage:
    """A camera's floor, fed frame by frame."""

    camera: CameraSettings
    now_s: float = 1_000_000.0
    facts: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.floor = Floor(self.camera, width_px=WIDTH, height_px=HEIGHT)

    def show(self, people: Iterable[TrackedPerson], *, after_s: float = 1 / FPS) -> list[Fact]:
        """One frame."""
        self.now_s += after_s
        told = self.floor.facts(tuple(people), from_epoch_s(self.now_s))
        self.facts += told
        return told

    def walk(self, *walks: Sequence[Point], delays: Mapping[int, int] | None = None, first_id: int = 1) -> list[Fact]:
        """Whole walks at once, one track each; `delays` are frames before a walk begins. All of them end at the end."""
        late = delays or {}
        begin = {index: late.get(index, 0) for index in range(len(walks))}
        told: list[Fact] = []
        for frame in range(max(begin[i] + len(walk) for i, walk in enumerate(walks))):
            told += self.show(
                person(walk[frame - begin[i]], track_id=first_id + i)
                for i, walk in enumerate(walks)
                if 0 <= frame - begin[i] < len(walk)
            )
        return told + self.show(())

    def finish(self) -> list[Fact]:
        """The end of the stream."""
        told = self.floor.finish(from_epoch_s(self.now_s))
        self.facts += told
        return told

    def of(self, kind: type) -> list:
        """All facts of a kind so far."""
        return [fact for fact in self.facts if isinstance(fact, kind)]
