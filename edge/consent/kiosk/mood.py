"""Mood buttons: a level and nothing else, passed on; a button that is hammered counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

__all__ = ["MoodButtons", "PassMood"]

PassMood = Callable[[int, datetime], None]
"""Takes a level from 1 to 5 and the moment, to where moods are counted."""

_APART = timedelta(seconds=3)
_ADDRESSES = 1_000


class MoodButtons:
    """Passes presses on, at most one in three seconds from one screen."""

    def __init__(self, pass_on: PassMood) -> None:
        self._pass_on = pass_on
        self._last: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def press(self, level: int, *, address: str, at: datetime) -> bool:
        """Count a press; False for one that comes too soon after another from the same screen."""
        with self._lock:
            before = self._last.pop(address, None)
            if before is not None and timedelta(0) <= at - before < _APART:
                self._last[address] = before
                return False
            if len(self._last) >= _ADDRESSES:
                del self._last[next(iter(self._last))]
            self._last[address] = at
        self._pass_on(level, at)
        return True
