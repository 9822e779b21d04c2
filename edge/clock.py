"""Time as an argument: whoever needs the time is handed a `Clock`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["Clock", "epoch_s", "from_epoch_s", "plausible", "utc_now"]

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


_FUTURE_SLACK = timedelta(minutes=5)
_OLDEST = timedelta(days=30)


def plausible(captured_at: datetime, *, received_at: datetime) -> datetime:
    """`captured_at` where a device's clock can be believed, else `received_at`.

    Devices without a battery clock wake up in 1970; a fact from the future would wait in a window that never closes.
    """
    believable = received_at - _OLDEST <= captured_at <= received_at + _FUTURE_SLACK
    return captured_at if believable else received_at
