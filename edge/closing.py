"""Closing time: whoever the count believes inside then is its drift, which is written down once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from edge.clock import epoch_s
from edge.facts import StoreClosed
from edge.occupancy import Flow, empty_since, inside
from edge.settings import Settings
from edge.windows import Increment, Metric, fold, window_start_s

__all__ = ["Closing"]

log = structlog.get_logger(__name__)

_LATEST = timedelta(hours=12)
"""A gateway that was off over closing time writes the drift when it is back, but not half a day later."""


class _Transaction(Protocol):
    def add(self, increments: Iterable[Increment]) -> None: ...
    def flows(self, *, since_s: int, until_s: int) -> list[tuple[int, int, int]]: ...
    def has_window(self, metric: Metric, *, start_s: int) -> bool: ...


class Closing:
    """Records each day's drift. Occupancy itself needs no correction: it is reckoned from closing time on."""

    def __init__(self, settings: Settings) -> None:
        self._closes_at = settings.store.closes_at
        self._timezone = settings.store.timezone
        self._length_s = settings.windows.local_s
        self._grace = timedelta(seconds=settings.windows.grace_s)
        self._done: datetime | None = None

    def run(self, tx: _Transaction, *, now: datetime) -> None:
        """Write the drift of the last closing time if that has not been done; call it every now and then."""
        if self._closes_at is None:
            return
        closed = empty_since(now - self._grace, closes_at=self._closes_at, timezone=self._timezone)
        if closed == self._done:
            return
        self._done = closed
        start_s = window_start_s(closed, length_s=self._length_s)
        if now - closed > _LATEST or tx.has_window(Metric.CLOSING_DRIFT, start_s=start_s):
            return
        opened = empty_since(closed - timedelta(seconds=1), closes_at=self._closes_at, timezone=self._timezone)
        flows = [Flow(*row) for row in tx.flows(since_s=epoch_s(opened), until_s=start_s)]
        if flows:
            drift = inside(flows)
            tx.add(fold([StoreClosed(closed, drift)], length_s=self._length_s))
            log.info("store.closed", drift=drift)
