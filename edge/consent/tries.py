"""How often somebody may try a code: so often for each device or address, and so often for all of them together."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

__all__ = ["Tries"]

_KEYS_AT_MOST = 10_000


class Tries:
    """Failed tries within a sliding window, for each key and for everybody. Any thread may ask; memory is bounded.

    Everybody's limit is what stops somebody with many addresses; it is also what such a somebody can use up for all, so it
    should be well above what honest mistakes come to.
    """

    def __init__(self, *, each: int, everybody: int, window: timedelta, keys_at_most: int = _KEYS_AT_MOST) -> None:
        """`each` and `everybody`: how many failures a `window` may hold."""
        self._each = each
        self._window = window
        self._keys_at_most = keys_at_most
        self._everybody: deque[datetime] = deque(maxlen=everybody)
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def blocked(self, key: str, *, at: datetime) -> bool:
        """Whether `key` must wait."""
        with self._lock:
            return self._is_blocked(key, at)

    def failed(self, key: str, *, at: datetime) -> None:
        """Note a failure of `key`."""
        with self._lock:
            self._note(key, at)

    def take(self, key: str, *, at: datetime) -> bool:
        """Count a try before its outcome is known; False, and nothing counted, if `key` must wait.

        Many requests at once cannot slip past it, as they can between `blocked` and `failed`.
        """
        with self._lock:
            if self._is_blocked(key, at):
                return False
            self._note(key, at)
            return True

    def forgive(self, key: str, *, at: datetime) -> None:
        """Take back the try that `take` counted for `key` at `at`: it was right."""
        with self._lock:
            for failures in (self._everybody, self._failures.get(key, deque())):
                if at in failures:
                    failures.remove(at)
            if not self._failures.get(key, True):
                del self._failures[key]

    def _is_blocked(self, key: str, at: datetime) -> bool:
        recent = self._recent(self._failures.get(key, deque()), at)
        if not recent:
            self._failures.pop(key, None)
        return len(recent) >= self._each or len(self._recent(self._everybody, at)) == self._everybody.maxlen

    def _recent(self, failures: deque[datetime], at: datetime) -> deque[datetime]:
        """`failures` without what lies outside the window: behind it, or ahead because the clock was set back."""
        while failures and abs(at - failures[0]) >= self._window:
            failures.popleft()
        return failures

    def _note(self, key: str, at: datetime) -> None:
        self._everybody.append(at)
        self._failures.setdefault(key, deque(maxlen=self._each)).append(at)
        self._failures.move_to_end(key)
        while len(self._failures) > self._keys_at_most:
            self._failures.popitem(last=False)
