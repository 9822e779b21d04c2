"""How often a device may speak: one token bucket each, all made beforehand, so their number is the registry's."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime

__all__ = ["RateLimiter", "TokenBucket"]


class TokenBucket:
    """Holds up to `capacity` tokens, full at first, refilled at `rate_per_s`."""

    def __init__(self, *, rate_per_s: float, capacity: float) -> None:
        self._rate_per_s = rate_per_s
        self._capacity = max(1.0, capacity)
        self._tokens = self._capacity
        self._filled_s: float | None = None

    def take(self, *, at_s: float) -> bool:
        """Take one token; False when there is none. A clock that was set back refills nothing."""
        if self._filled_s is not None:
            elapsed_s = max(0.0, at_s - self._filled_s)
            self._tokens = min(self._capacity, self._tokens + elapsed_s * self._rate_per_s)
        self._filled_s = at_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class RateLimiter:
    """A bucket for each of `keys`, each holding `burst_s` seconds' worth of messages at `rate_per_s`."""

    def __init__(self, keys: Iterable[Hashable], *, rate_per_s: float, burst_s: float) -> None:
        self._buckets = {key: TokenBucket(rate_per_s=rate_per_s, capacity=rate_per_s * burst_s) for key in keys}

    def allows(self, key: Hashable, *, at: datetime) -> bool:
        """Whether `key` may speak at `at`; it counts as having spoken. Who has no bucket may not."""
        bucket = self._buckets.get(key)
        return bucket is not None and bucket.take(at_s=at.timestamp())
