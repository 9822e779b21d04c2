"""Who walks through the simulated door, and when: a crowd drawn from a seed, its truth exact."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.simulate.figures import Look, Stance, random_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.simulate.backdrop import Room
    from edge.simulate.perspective import View

__all__ = ["Crowd", "Walker"]

_LONGEST_WALK_S = 30.0  # more than the longest path takes the slowest walker
_LONGEST_WAIT_S = 12.0  # that someone waits for others to be out of the way; then they stay away
_TURN_M = 0.4
_NEAR_LINE_M = 1.3
_MOST_OVERLAP = 0.6  # of the smaller of two people in the picture, anywhere
_MOST_OVERLAP_AT_LINE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """One person's walk: two straight legs with a corner, at an even pace."""

    person_id: int
    look: Look
    direction: Literal["in", "out"]
    start_s: float
    speed_m_s: float
    stride_m: float
    path_m: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

    @property
    def end_s(self) -> float:
        """When the walk is over."""
        return self.start_s + sum(self._legs_m()) / self.speed_m_s

    def stance(self, at_s: float) -> Stance:
        """Where and how the person stands at a time of the walk."""
        walked = (at_s - self.start_s) * self.speed_m_s
        x, y = self._spot(walked)
        return Stance(x_m=x, y_m=y, heading_rad=self._heading(walked), walked_m=walked, stride_m=self.stride_m)

    def y_at(self, at_s: float) -> float:
        """Distance from the camera's wall, in metres."""
        return self._spot((at_s - self.start_s) * self.speed_m_s)[1]

    def spots(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Floor points (n, 2) at times within the walk."""
        return np.array([self._spot((float(at_s) - self.start_s) * self.speed_m_s) for at_s in times_s])

    def time_near(self, y_m: float) -> tuple[float, float]:
        """Times surely before and surely after the feet pass a distance on the leg inside the shop."""
        first, second = self._legs_m()
        if self.direction == "in":
            (_, y1), (_, y2), offset, leg = *self.path_m[1:], first, second
        else:
            (_, y1), (_, y2), offset, leg = *self.path_m[:2], 0.0, first
        share = (y_m - y1) / (y2 - y1)
        margin = self.stride_m + 0.3
        walked = offset + share * leg
        return (
            self.start_s + max(walked - margin, 0.0) / self.speed_m_s,
            min(self.start_s + (walked + margin) / self.speed_m_s, self.end_s),
        )

    def _legs_m(self) -> tuple[float, float]:
        start, corner, end = self.path_m
        return math.dist(start, corner), math.dist(corner, end)

    def _spot(self, walked_m: float) -> tuple[float, float]:
        first, second = self._legs_m()
        start, corner, end = self.path_m
        if walked_m < first:
            return _between(start, corner, walked_m / first)
        return _between(corner, end, (walked_m - first) / second)

    def _heading(self, walked_m: float) -> float:
        start, corner, end = self.path_m
        one = math.atan2(corner[1] - start[1], corner[0] - start[0])
        two = math.atan2(end[1] - corner[1], end[0] - corner[0])
        turn = (two - one + math.pi) % (2 * math.pi) - math.pi
        share = (walked_m - self._legs_m()[0] + _TURN_M) / (2 * _TURN_M)
        return one + turn * min(max(share, 0.0), 1.0)


def _between(one: tuple[float, float], other: tuple[float, float], share: float) -> tuple[float, float]:
    return (one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share)


class Crowd:
    """Everybody who ever walks, made in order of time and only as far as asked for.

    Walkers are drawn from one sequence, so whoever asks for what first, the crowd is the same. It
    keeps a few hundred bytes a walker: a day at 40 people a minute is some 50,000 of them.
    """

    def __init__(
        self,
        *,
        seed: int,
        view: View,
        people_per_minute: float,
        last_entry_s: float | None,
        line_y_m: float,
        room: Room,
    ) -> None:
        self._rng = np.random.default_rng([seed, 3])
        self._view = view
        self._gap_s = 60.0 / max(people_per_minute, 1e-6)
        self._last_entry_s = math.inf if last_entry_s is None else last_entry_s
        self._line_y_m = line_y_m
        self._room = room
        self._planned_s = 0.0
        self._surplus = 0  # of walkers going in over those going out
        self._walkers: list[Walker] = []
        self._planned: list[float] = []  # of each walker: never falls, unlike start_s

    def present(self, at_s: float) -> list[Walker]:
        """Those whose walk is under way."""
        return [
            walker for walker in self._since(at_s - _LONGEST_WALK_S, at_s) if walker.start_s <= at_s <= walker.end_s
        ]

    def until(self, until_s: float) -> list[Walker]:
        """Those who have started at or before a time."""
        return [walker for walker in self._since(-math.inf, until_s) if walker.start_s <= until_s]

    def _since(self, from_s: float, until_s: float) -> list[Walker]:
        while self._planned_s <= min(until_s, self._last_entry_s):
            self._plan_next()
        first = bisect.bisect_left(self._planned, from_s - _LONGEST_WAIT_S)
        return self._walkers[first : bisect.bisect_right(self._planned, until_s)]

    def _plan_next(self) -> None:
        rng = self._rng
        size = 2 if rng.random() < 0.2 else 1
        self._planned_s += self._gap_s * size * (0.3 + 0.7 * float(rng.exponential()))
        # The direction behind is favoured: whoever walks with the stream finds a gap more easily, and
        # chance alone would let one direction take over.
        to_in = 0.5 - 0.2 * self._surplus
        direction: Literal["in", "out"] = "in" if rng.random() < to_in else "out"
        looks = [random_look(rng) for _ in range(size)]
        speed, stride = float(rng.uniform(1.0, 1.5)), float(rng.uniform(0.55, 0.72))
        for attempt in range(int(_LONGEST_WAIT_S / 0.5)):
            start_s = self._planned_s + attempt * 0.5
            group = self._group(looks, direction, start_s, speed, stride)
            in_time = all(walker.start_s <= self._last_entry_s for walker in group)
            if in_time and not any(self._in_the_way(walker) for walker in group):
                self._walkers += group
                self._planned += [self._planned_s] * size
                self._surplus += size if direction == "in" else -size
                return

    def _group(
        self, looks: list[Look], direction: Literal["in", "out"], start_s: float, speed: float, stride: float
    ) -> list[Walker]:
        """One person, or two side by side."""
        rng = self._rng
        gap = float(rng.uniform(0.75, 1.0)) if len(looks) > 1 else 0.0
        left, right = self._room.door_m or (self._room.left_m, self._room.right_m)
        at_door = float(rng.uniform(left + 0.4, right - 0.4 - gap))
        at_near = float(rng.uniform(-1.5, 1.5 - gap))
        deep = self._room.depth_m
        side = 1.0 if rng.random() < 0.5 else -1.0
        group: list[Walker] = []
        for place, look in enumerate(looks):
            shift = gap * place
            street = (side * 4.6, deep + 1.7 + 0.5 * place)
            corner, end = (at_door + shift, deep + 1.3), (at_near + shift, -0.9)
            group.append(
                Walker(
                    person_id=len(self._walkers) + 1 + place,
                    look=look,
                    direction=direction,
                    start_s=start_s,
                    speed_m_s=speed,
                    stride_m=stride,
                    path_m=(street, corner, end) if direction == "in" else (end, corner, street),
                )
            )
        if direction == "in" and len(group) > 1:
            # Whoever comes round the longer way starts earlier, so that the two pass the door abreast.
            first = max(math.dist(walker.path_m[0], walker.path_m[1]) for walker in group)
            group = [_later(walker, (first - math.dist(*walker.path_m[:2])) / speed) for walker in group]
        return group

    def _in_the_way(self, walker: Walker) -> bool:
        """Would this walker hide, or be hidden by, somebody already planned?"""
        step = 0.2
        first_step, last_step = math.ceil(walker.start_s / step), math.floor(walker.end_s / step)
        times = np.asarray(np.arange(first_step, last_step + 1) * step, np.float64)
        mine = self._rough_boxes(walker, times)
        first = bisect.bisect_left(self._planned, walker.start_s - _LONGEST_WALK_S - _LONGEST_WAIT_S)
        for other in self._walkers[first:]:
            both = (times >= other.start_s) & (times <= other.end_s)
            if both.any() and self._hidden(mine[both], self._rough_boxes(other, times[both])):
                return True
        return False

    def _hidden(self, mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
        """Rough boxes (n, 5), the last column metres from the line, of two people at the same times."""
        low, high = np.maximum(mine[:, :2], theirs[:, :2]), np.minimum(mine[:, 2:4], theirs[:, 2:4])
        common = np.maximum(high - low, 0.0).prod(1)
        areas = np.minimum((mine[:, 2:4] - mine[:, :2]).prod(1), (theirs[:, 2:4] - theirs[:, :2]).prod(1))
        share = common / np.maximum(areas, 1e-9)
        at_line = np.minimum(mine[:, 4], theirs[:, 4]) < _NEAR_LINE_M
        in_room = np.maximum(mine[:, 5], theirs[:, 5]) < self._room.depth_m
        return bool(((share > np.where(at_line, _MOST_OVERLAP_AT_LINE, _MOST_OVERLAP)) & in_room).any())

    def _rough_boxes(self, walker: Walker, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        spots = walker.spots(times_s).reshape(-1, 2)
        half = 0.17 * walker.look.stature_m * walker.look.build
        feet = np.column_stack((spots, np.zeros(len(spots))))
        head = np.column_stack((spots, np.full(len(spots), walker.look.stature_m)))
        low, depth = self._view.project(feet)
        high, near = self._view.project(head)
        wide = half * self._view.focal_px / ((depth + near) / 2)
        return np.column_stack(
            (
                np.minimum(low[:, 0], high[:, 0]) - wide,
                high[:, 1],
                np.maximum(low[:, 0], high[:, 0]) + wide,
                low[:, 1],
                np.abs(spots[:, 1] - self._line_y_m),
                spots[:, 1],
            )
        )


def _later(walker: Walker, delay_s: float) -> Walker:
    return Walker(
        person_id=walker.person_id,
        look=walker.look,
        direction=walker.direction,
        start_s=walker.start_s + delay_s,
        speed_m_s=walker.speed_m_s,
        stride_m=walker.stride_m,
        path_m=walker.path_m,
    )
