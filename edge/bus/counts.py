"""Running totals of the bus. What may be dropped is dropped here, and nowhere unseen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

__all__ = ["BusCounts", "Tally"]


@dataclass(slots=True)
class BusCounts:
    """Totals since the start."""

    received: int = 0
    connections: int = 0
    stale_events: int = 0
    """Retained messages on an event's topic, thrown away."""
    handler_errors: int = 0
    acks_sent: int = 0
    acks_void: int = 0
    """Receipts of an earlier connection, or used before: nothing is sent for them."""
    published: int = 0
    publishes_dropped: int = 0
    publishes_refused: int = 0
    subscriptions_refused: int = 0


class Tally:
    """Counts from any thread."""

    def __init__(self) -> None:
        self._counts = BusCounts()
        self._lock = threading.Lock()

    def add(self, name: str, amount: int = 1) -> None:
        """Add to the total `name`, a field of `BusCounts`."""
        with self._lock:
            setattr(self._counts, name, getattr(self._counts, name) + amount)

    def now(self) -> BusCounts:
        """The totals as they are."""
        with self._lock:
            return replace(self._counts)
