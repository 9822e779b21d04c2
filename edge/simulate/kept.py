"""What a device keeps until the gateway says it is stored: the accounting behind "send again until acknowledged"."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from edge.errors import BusError

__all__ = ["EVERY_FEW_SECONDS", "KeptMessage", "KeptMessages", "ResendAfter"]


@dataclass(frozen=True, slots=True)
class ResendAfter:
    """How long to wait for an acknowledgement: `first_s`, then `factor` times longer each time, `longest_s` at most."""

    first_s: float = 2.0
    longest_s: float = 5.0
    factor: float = 1.5

    def delay_s(self, tries: int, *, rng: Random) -> float:
        """The wait after the `tries`th sending; up to a tenth longer by chance, so that devices do not march in step."""
        # The exponent is bounded: past it the delay is `longest_s` anyway, and a float would overflow in the end.
        wait_s = min(self.longest_s, self.first_s * self.factor ** min(tries - 1, 32))
        return wait_s * rng.uniform(1.0, 1.1)


EVERY_FEW_SECONDS = ResendAfter()
"""What our reference clients do: after 2 s, then up to every 5 s."""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One encoded message, ready to be published (again)."""

    message_id: UUID
    topic: str
    payload: bytes

    def __repr__(self) -> str:
        return f"KeptMessage({self.message_id}, {len(self.payload)} bytes)"


@dataclass(slots=True)
class _Turn:
    message: KeptMessage
    due_s: float
    tries: int = 0


class KeptMessages:
    """The bounded set of unacknowledged messages. Not thread-safe; times are seconds of any steady clock."""

    def __init__(self, *, limit: int, resend: ResendAfter, rng: Random) -> None:
        self._limit = limit
        self._resend = resend
        self._rng = rng
        self._turns: dict[UUID, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def __contains__(self, message_id: UUID) -> bool:
        return message_id in self._turns

    def keep(self, message: KeptMessage, *, now_s: float) -> None:
        """Keep `message`; it is due at once.

        Raises:
            BusError: as many messages as allowed are waiting already. Nothing was kept.
        """
        if len(self._turns) >= self._limit:
            raise BusError(
                "keep message", f"{self._limit} messages wait for an acknowledgement", "is the gateway running?"
            )
        self._turns.setdefault(message.message_id, _Turn(message, due_s=now_s))

    def take_due(self, *, now_s: float, at_most: int) -> list[KeptMessage]:
        """Up to `at_most` messages to publish now, longest due first; each is due again after its wait."""
        due = heapq.nsmallest(
            at_most, (turn for turn in self._turns.values() if turn.due_s <= now_s), key=lambda turn: turn.due_s
        )
        for turn in due:
            turn.tries += 1
            turn.due_s = now_s + self._resend.delay_s(turn.tries, rng=self._rng)
        return [turn.message for turn in due]

    def next_due_s(self) -> float | None:
        """When the next message is due, None when nothing is kept."""
        return min((turn.due_s for turn in self._turns.values()), default=None)

    def all_due(self, *, now_s: float) -> None:
        """Make everything due at once, in the order in which it was kept: the connection is a new one."""
        for turn in self._turns.values():
            turn.due_s = now_s

    def acknowledge(self, message_ids: Iterable[UUID]) -> int:
        """Forget these messages and say how many of them were kept; ids that are not kept (any more) are none."""
        return sum(self._turns.pop(message_id, None) is not None for message_id in message_ids)
