"""One message to its outcome. Pure; what cameras and Frigate see goes through `edge.cameras`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from edge.clock import plausible
from edge.consent.feedback import mood_of
from edge.consent.gate import ConsentGate
from edge.facts import Fact
from edge.messages import (
    CameraDetections,
    CameraFrame,
    DeviceStatus,
    FrigateEvent,
    FrigatePersonCount,
    KioskFeedback,
    MirrorMeasurement,
    MirrorSilhouette,
    PosTransaction,
    Received,
    Recommendation,
)
from edge.mirror.refusal import refuse
from edge.outcome import Outcome
from edge.pos_bridge.sales import sale_of

__all__ = ["handle"]


def handle(received: Received, *, gate: ConsentGate) -> Outcome:
    """The outcome of every message but those of cameras and Frigate (TypeError for those)."""
    message = received.message
    match message:
        case PosTransaction():
            at = plausible(message.captured_at, received_at=received.received_at)
            return _effect(received, message.message_id, fact=sale_of(message, till=received.device.id, at=at))
        case KioskFeedback():
            at = plausible(message.captured_at, received_at=received.received_at)
            return _effect(received, message.message_id, fact=mood_of(message, kiosk=received.device.id, at=at))
        case MirrorMeasurement() | MirrorSilhouette():
            return _sized(received, message, gate=gate)
        case DeviceStatus():
            return Outcome(received.received_at, device=received.device, receipt=received.receipt, status=message)
        case CameraFrame() | CameraDetections() | FrigateEvent() | FrigatePersonCount():
            raise TypeError("what cameras and Frigate see is handled by edge.cameras")
        case _:
            assert_never(message)


def _sized(received: Received, message: MirrorMeasurement | MirrorSilhouette, *, gate: ConsentGate) -> Outcome:
    """The gate answers before anything of the body is looked at, and again before the answer goes out."""
    device = received.device.id

    def refusal(at: datetime) -> str | None:
        answer = gate.ask("size_recommendation", at=at, session=message.session, device=device)
        return None if answer.allowed else answer.reason

    reason = refusal(received.received_at)
    if reason is not None:
        return _effect(received, message.message_id, reply=refuse(message, reason=reason))
    # The size model is not built yet: a live session is told so, and nothing of the body is kept.
    reply = refuse(message, reason="this box has no size model")
    return _effect(received, message.message_id, reply=reply, recheck=refusal)


def _effect(
    received: Received,
    message_id: UUID,
    *,
    fact: Fact | None = None,
    reply: Recommendation | None = None,
    recheck: Callable[[datetime], str | None] | None = None,
) -> Outcome:
    return Outcome(
        received.received_at,
        device=received.device,
        receipt=received.receipt,
        message_id=message_id,
        facts=() if fact is None else (fact,),
        reply=reply,
        recheck=recheck,
    )
