"""The demo's final account: what the shop did, what the store stored, what HQ holds, and whether they agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edge.status import Status

__all__ = ["Account", "Latency", "balance"]


@dataclass(frozen=True, slots=True)
class Latency:
    """From a frame's publication to its facts being stored, in milliseconds; None where nothing was counted."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """The demo's result. `truth_*` is None for a video, whose truth nobody knows.

    `lost`: messages the devices sent and the store never stored, and events released that HQ does not hold.
    `duplicates`: messages, sales or events that were counted more often than they happened.
    """

    frames: int
    frames_dropped: int
    visitors_in: int
    visitors_out: int
    truth_in: int | None
    truth_out: int | None
    messages: int
    dead_letters: int
    events_released: int
    events_at_hq: int
    lost: int
    duplicates: int
    latency_ms: Latency
    restarts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return asdict(self)


def balance(
    *, truth: dict[str, Any], before: Status, after: Status, hq: dict[str, Any], restarts: dict[str, int]
) -> Account:
    """Hold the three books against each other; `before` is the store as the demo found it."""

    def grown(name: str) -> int:
        return after["counters"].get(name, 0) - before["counters"].get(name, 0)

    released = after["outbox"]["last_sequence"]
    at_hq = int(hq["events"])
    unstored = int(truth["messages_sent"]) - grown("messages")
    unsent = released - at_hq
    sales_excess = _sales(after) - _sales(before) - _true_sales(truth)
    hq_excess = _hq_sales(hq) - _sales(after)
    gauges = after["gauges"]
    return Account(
        frames=grown("frames"),
        frames_dropped=grown("frames_dropped"),
        visitors_in=after["visitors"]["in"] - before["visitors"]["in"],
        visitors_out=after["visitors"]["out"] - before["visitors"]["out"],
        truth_in=truth["truth_in"],
        truth_out=truth["truth_out"],
        messages=grown("messages"),
        dead_letters=grown("dead_letters"),
        events_released=released - before["outbox"]["last_sequence"],
        events_at_hq=at_hq - before["outbox"]["last_sequence"],
        lost=max(0, unstored) + max(0, unsent) + max(0, -sales_excess) + max(0, -hq_excess),
        duplicates=max(0, -unstored) + max(0, -unsent) + max(0, sales_excess) + max(0, hq_excess),
        latency_ms=Latency(_rounded(gauges.get("latency_p50_ms")), _rounded(gauges.get("latency_p99_ms"))),
        restarts=restarts,
    )


def _sales(status: Status) -> int:
    """Transactions the store counted, of every currency and kind."""
    return sum(n for key, n in status["sales"].items() if key.partition("/")[2] in {"sales", "returns", "voids"})


def _true_sales(truth: dict[str, Any]) -> int:
    return sum(figures[kind] for figures in truth["sales"].values() for kind in ("sales", "returns", "voids"))


def _hq_sales(hq: dict[str, Any]) -> int:
    return sum(figures[kind] for figures in hq["sales"].values() for kind in ("sales", "returns", "voids"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
