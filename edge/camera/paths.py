"""From which area to which: steps between two visits of the same track, while it lives."""

from __future__ import annotations

from collections.abc import Set

__all__ = ["Paths"]


class Paths:
    """Remembers the area each track visited last. What it knows of a track goes with the track."""

    def __init__(self) -> None:
        self._last: dict[int, str] = {}

    def visit(self, track_id: int, area: str) -> str | None:
        """The area that this track visited before `area`; None if there was none, or it was the same."""
        origin = self._last.get(track_id)
        self._last[track_id] = area
        return origin if origin != area else None

    def keep(self, alive: Set[int]) -> None:
        """Forget the tracks that are not `alive`."""
        for track_id in self._last.keys() - alive:
            del self._last[track_id]
