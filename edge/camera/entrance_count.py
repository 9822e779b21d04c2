"""One entrance, several lines in one picture: a person goes in once, however many of them are crossed."""

from __future__ import annotations

from collections.abc import Set

from edge.facts import Direction

__all__ = ["EntranceCount"]


class EntranceCount:
    """Remembers which way each track last went through each entrance. What it knows of a track goes with the track."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str], Direction] = {}

    def is_new(self, track_id: int, direction: Direction, *, entrance: str) -> bool:
        """Whether this crossing counts: not if the track's last one through `entrance` went the same way."""
        key = track_id, entrance
        if self._last.get(key) == direction:
            return False
        self._last[key] = direction
        return True

    def keep(self, alive: Set[int]) -> None:
        """Forget the tracks that are not `alive`."""
        if any(track_id not in alive for track_id, _ in self._last):
            self._last = {key: way for key, way in self._last.items() if key[0] in alive}
