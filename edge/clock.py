"""Time as an argument: whoever needs the time is handed a `Clock`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "epoch_s", "from_epoch_s", "utc_now"]

Clock = Callable[[], datetime]
"""Returns the present moment, timezone-aware."""


def utc_now() -> datetime:
    """The present moment in UTC, from the system clock."""
    return datetime.now(UTC)


def epoch_s(moment: datetime) -> int:
    """Whole seconds since 1970-01-01 UTC; `moment` must be timezone-aware."""
    return int(moment.timestamp() // 1)


def from_epoch_s(seconds: float) -> datetime:
    """The UTC moment `seconds` after 1970-01-01 UTC."""
    return datetime.fromtimestamp(seconds, UTC)
