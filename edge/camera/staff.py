"""Staff are not visitors: whoever was behind the counter, or came through the staff door, is staff as a track.

A track may cross the entrance first and show only then that it is staff. What a track did is therefore held back for a
while: if it turns out to be staff nothing of it was ever counted, so nothing has to be taken back from a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from edge.camera.deeds import Deed

__all__ = ["StaffSieve"]

_HELD_MOST = 64


class StaffSieve:
    """Lets deeds of visitors through, `hold_s` late, or at once when their track ends. Bounded by the live tracks."""

    def __init__(self, *, hold_s: float) -> None:
        """`hold_s` is 0 where a camera cannot tell staff: nothing is held then."""
        self._hold_s = hold_s
        self._staff: set[int] = set()
        self._held: dict[int, list[Deed]] = {}

    def __contains__(self, track_id: int) -> bool:
        """Whether a live track is known as staff."""
        return track_id in self._staff

    def mark(self, track_id: int) -> None:
        """From now on this track is staff."""
        self._staff.add(track_id)
        self._held.pop(track_id, None)

    def sift(self, deeds: Iterable[Deed], *, alive: Set[int], at_s: float) -> list[Deed]:
        """Deeds that count by now; `alive` are all live tracks."""
        for deed in deeds:
            if deed.track_id not in self._staff:
                self._held.setdefault(deed.track_id, []).append(deed)
        due = [deed for track_id in list(self._held) for deed in self._due(track_id, alive=alive, at_s=at_s)]
        self._staff.intersection_update(alive)
        return due

    def _due(self, track_id: int, *, alive: Set[int], at_s: float) -> Iterator[Deed]:
        held = self._held[track_id]
        keep_after_s = at_s - self._hold_s
        stays = [deed for deed in held if deed.at_s > keep_after_s][-_HELD_MOST:] if track_id in alive else []
        yield from held[: len(held) - len(stays)]
        if stays:
            self._held[track_id] = stays
        else:
            del self._held[track_id]
