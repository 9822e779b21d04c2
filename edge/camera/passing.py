"""Who passes by the window, and who of them comes in."""

from __future__ import annotations

from collections.abc import Set

__all__ = ["Passing"]


class Passing:
    """Remembers of each track which windows it passed and whether it came out of the shop. Goes with the track."""

    def __init__(self) -> None:
        self._left: set[int] = set()
        self._passed: dict[int, list[str]] = {}

    def went_out(self, track_id: int) -> None:
        """A track left the shop: what it does before the window is no passing by."""
        self._left.add(track_id)

    def appears(self, track_id: int, area: str) -> bool:
        """A track is before the window; whether it passes by, which it does once for each window."""
        passed = self._passed.setdefault(track_id, [])
        if track_id in self._left or area in passed:
            return False
        passed.append(area)
        return True

    def went_in(self, track_id: int) -> tuple[str, ...]:
        """A track entered the shop; the windows that it passed by before, each told once."""
        passed = tuple(self._passed.get(track_id, ())) if track_id not in self._left else ()
        self._left.add(track_id)  # whatever it does next, it comes from the shop
        return passed

    def keep(self, alive: Set[int]) -> None:
        """Forget the tracks that are not `alive`."""
        self._left.intersection_update(alive)
        for track_id in self._passed.keys() - alive:
            del self._passed[track_id]
