"""What `store.toml` says of the shop's floor: zones, devices, and what each camera counts."""

from __future__ import annotations

from datetime import date
from itertools import combinations, pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = [
    "UNWATCHABLE",
    "AreaSettings",
    "CameraSettings",
    "DeviceSettings",
    "EntranceSettings",
    "Fraction",
    "HeatSettings",
    "Id",
    "LineSettings",
    "Table",
    "ZoneSettings",
]

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
DetectSide = Annotated[int, Field(ge=64, le=16384)]
Point = tuple[Fraction, Fraction]
_LEAST_AREA = 1e-4

UNWATCHABLE = frozenset({"fitting_room", "restroom"})
"""Kinds of zone that no camera may watch."""


class Table(BaseModel):
    """A table of `store.toml`: unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ZoneSettings(Table):
    """A part of the shop. Cameras there run only while `notice_attested_on` is fresh (PIPL Art. 26)."""

    id: Id
    name: str = ""
    kind: Literal["entrance", "sales_floor", "checkout", "fitting_room", "restroom"] = "sales_floor"
    notice_attested_on: date | None = None


class LineSettings(Table):
    """A counting line, relative coordinates 0 to 1; walking from the first to the second point, `in` is left to right.

    Lines with the same `entrance` count a person once. A `staff` line counts nobody: who crosses it is staff.
    """

    name: Id
    points: tuple[Point, Point]
    kind: Literal["visitors", "staff"] = "visitors"
    entrance: Id | None = None

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.points[0] == self.points[1]:
            raise ValueError("a line needs two different points")
        return self


class AreaSettings(Table):
    """A part of a camera's picture, relative coordinates 0 to 1, and what it is for.

    `queue`: its length and waits are counted. `window`: who is there passes by. `staff`: who is there works here.
    """

    name: Id
    kind: Literal["area", "queue", "staff", "window"] = "area"
    polygon: Annotated[tuple[Point, ...], Field(min_length=3, max_length=64)]
    visit_after_s: float | None = Field(default=None, ge=0, le=600)
    """How long a visit takes at least; 3 s if not set, and 1 s for `staff`: nobody strays behind a counter for so long."""

    @property
    def counts_after_s(self) -> float:
        """The time from which being here counts."""
        if self.visit_after_s is not None:
            return self.visit_after_s
        return 1.0 if self.kind == "staff" else 3.0

    @model_validator(mode="after")
    def _is_simple(self) -> Self:
        if _crosses_itself(self.polygon):
            raise ValueError("the polygon crosses itself; name its corners in order, going round")
        if abs(_doubled_area(self.polygon)) < 2 * _LEAST_AREA:
            raise ValueError("the polygon is too small to stand in")
        return self


class HeatSettings(Table):
    """How finely a camera's heat grid divides its picture. Each cell has a privacy budget of its own: few are better."""

    columns: int = Field(default=16, ge=1, le=32)
    rows: int = Field(default=9, ge=1, le=32)


class EntranceSettings(Table):
    """A door that lines of several cameras watch: what two of them see within `merge_within_s` is one crossing."""

    name: Id
    merge_within_s: float = Field(default=1.5, gt=0, le=10)


class DeviceSettings(Table):
    """A device the gateway listens to, and the zone it stands in."""

    id: Id
    zone: Id


class CameraSettings(DeviceSettings):
    """A camera, its counting lines and areas, and the polygons blacked out before inference (relative coordinates)."""

    lines: tuple[LineSettings, ...] = ()
    areas: Annotated[tuple[AreaSettings, ...], Field(max_length=32)] = ()
    heat: HeatSettings | None = None
    privacy_masks: tuple[Annotated[tuple[Point, ...], Field(min_length=3)], ...] = ()
    model: Id = "footfall"
    score_threshold: Fraction | None = None
    motion_gate: bool = True
    """Whether a picture in which nothing has moved is spared the detector."""
    frigate_name: str | None = None
    frigate_detect: tuple[DetectSide, DetectSide] | None = None
    """Width and height of the stream in which Frigate detects; its boxes are in pixels of that."""

    @property
    def frigate_size(self) -> tuple[int, int]:
        """Frigate's width and height, or what most of its cameras have."""
        return self.frigate_detect or (1280, 720)


def _doubled_area(polygon: tuple[Point, ...]) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise((*polygon, polygon[0])))


def _crosses_itself(polygon: tuple[Point, ...]) -> bool:
    """Whether two sides that are not neighbours cut each other: the inside would be anybody's guess."""
    sides = list(pairwise((*polygon, polygon[0])))
    return any(
        _doubled_area((*one, other[0])) * _doubled_area((*one, other[1])) < 0
        and _doubled_area((*other, one[0])) * _doubled_area((*other, one[1])) < 0
        for one, other in combinations(sides, 2)
    )
