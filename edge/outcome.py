"""What a message, a picture or a refusal comes to: the one thing the writer takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from edge.bus.dead_letters import DeadLetter
from edge.camera.health import Complaint
from edge.facts import Fact
from edge.messages import Device, DeviceStatus, Receipt, Recommendation

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything to be done for one thing received, in one transaction. Facts count once per `message_id`, if there is one."""

    received_at: datetime
    device: Device | None = None
    facts: tuple[Fact, ...] = ()
    message_id: UUID | None = None
    receipt: Receipt | None = None
    reply: Recommendation | None = None
    recheck: Callable[[datetime], str | None] | None = None
    """Asked just before `reply` is sent: why it must not be, if so. A refusal goes out in its place."""
    status: DeviceStatus | None = None
    people_visible: int | None = None
    complaints: tuple[Complaint, ...] | None = None
    captured_at: datetime | None = None
    dead_letter: DeadLetter | None = None
