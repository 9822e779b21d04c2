"""Who came in together: crossings close in time and beside or behind each other."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot, inf

from edge.camera.deeds import Deed
from edge.facts import Crossing, GroupEntered

__all__ = ["Groups"]

APART_S = 1.2
APART_WIDTHS = 2.0
"""From middle to middle: with so many widths there is room for one more between two people."""

LONGEST_S = 4.0
"""A stream of people through a sale's door is not one family; a group is in within this."""

_WAITING_MOST = 500


class Groups:
    """Gathers crossings inwards into groups. A crossing waits here until nobody else can belong to it."""

    def __init__(self, *, entrance_of: Mapping[str, str]) -> None:
        """`entrance_of` names the entrance of each line; people who take its different doors are still together."""
        self._entrance_of = entrance_of
        self._waiting: list[tuple[Deed, Crossing]] = []

    def add(self, deed: Deed) -> None:
        """Take somebody's crossing; what is no crossing inwards is nobody's group."""
        if isinstance(deed.fact, Crossing) and deed.fact.direction == "in" and len(self._waiting) < _WAITING_MOST:
            self._waiting.append((deed, deed.fact))

    def close(self, *, until_s: float = inf) -> list[GroupEntered]:
        """Groups that nobody can join any more, given that every crossing before `until_s` has been added."""
        self._waiting.sort(key=lambda one: one[0].at_s)
        closed: list[GroupEntered] = []
        while self._waiting:
            group = self._first_group()
            if max(deed.at_s for deed, _ in group) + APART_S >= until_s:
                break
            first = group[0][1]
            closed.append(GroupEntered(first.occurred_at, first.camera, self._place(first), len(group)))
            self._waiting = [one for one in self._waiting if one not in group]
        return closed

    def _first_group(self) -> list[tuple[Deed, Crossing]]:
        """The earliest crossing, and whoever is with it or with somebody of its group."""
        group = self._waiting[:1]
        for candidate in self._waiting[1:]:
            if candidate[0].at_s - group[0][0].at_s > LONGEST_S:
                break
            if any(self._together(candidate, member) for member in group):
                group.append(candidate)
        return group

    def _together(self, one: tuple[Deed, Crossing], other: tuple[Deed, Crossing]) -> bool:
        (a, a_crossing), (b, b_crossing) = one, other
        reach = APART_WIDTHS * (a.width_px + b.width_px) / 2
        near = hypot(a.foot_xy[0] - b.foot_xy[0], a.foot_xy[1] - b.foot_xy[1]) <= reach
        soon = abs(a.at_s - b.at_s) <= APART_S
        return near and soon and self._place(a_crossing) == self._place(b_crossing)

    def _place(self, crossing: Crossing) -> str:
        return self._entrance_of.get(crossing.line, crossing.line)
