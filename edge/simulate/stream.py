"""What a simulated device will say and when: the same from the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from edge.messages import Device
from edge.simulate.wire import Spoken

__all__ = ["Opening", "Saying", "arrivals"]


@dataclass(frozen=True, slots=True)
class Saying:
    """`message`, to be published `at_s` seconds after the shop opened."""

    at_s: float
    message: Spoken


@dataclass(frozen=True, slots=True)
class Opening:
    """One run of a simulated shop: what everything random in it is derived from, and when it began."""

    seed: int
    started_at: datetime

    def rng(self, device: Device) -> Random:
        """The randomness of what `device` does: the same in every run with this seed."""
        return Random(f"{self.seed}/{device.kind}/{device.id}")

    def scene_seed(self, device: Device) -> int:
        """The seed of what a camera sees."""
        return self.rng(device).getrandbits(31)

    def ids(self, device: Device) -> Callable[[], UUID]:
        """New message ids. The start time is part of them: a second run with one seed says new things, not duplicates."""
        rng = Random(f"{self.seed}/{device.kind}/{device.id}/{self.started_at.isoformat()}")
        return lambda: UUID(int=rng.getrandbits(128), version=4)

    def moment(self, at_s: float) -> datetime:
        """The time of day `at_s` seconds after the opening, to the millisecond."""
        return self.started_at + timedelta(milliseconds=round(at_s * 1000))


def arrivals(rng: Random, *, per_minute: float, until_s: float | None) -> Iterator[float]:
    """Seconds at which a Poisson process of this rate has its events, before `until_s` (None: without end)."""
    at_s = rng.expovariate(per_minute / 60)
    while until_s is None or at_s < until_s:
        yield at_s
        at_s += rng.expovariate(per_minute / 60)
