"""A camera that is heard through a Frigate NVR: what Frigate says goes through the camera's own tracker and counters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from edge.camera.frigate import Beat, FrigatePeople
from edge.camera.pipeline import FrameResult, Gate, Timings
from edge.clock import from_epoch_s
from edge.facts import Fact
from edge.messages import CameraDetections, Detection, FrigateEvent, FrigatePersonCount
from edge.settings import CameraSettings

__all__ = ["FrigateCamera"]

_NO_ID = UUID(int=0)
_SURE = 1.0
"""Frigate has judged with a threshold of its own, over several frames; ours is for our detector's scores."""


class _Pipeline(Protocol):
    def detections(self, message: CameraDetections, *, received_at: datetime) -> FrameResult: ...


class FrigateCamera:
    """Turns Frigate's events into beats of boxes, and counts them as a camera's own. One thread uses it at a time."""

    def __init__(self, camera: CameraSettings, *, pipeline: _Pipeline, allowed: Gate) -> None:
        self._size = camera.frigate_size
        self._pipeline = pipeline
        self._allowed = allowed
        self._people = FrigatePeople()

    def take(self, message: FrigateEvent | FrigatePersonCount, *, received_at: datetime) -> FrameResult:
        """What comes of one message; nothing is remembered while the gate says no."""
        answer = self._allowed(received_at)
        if not answer.allowed:
            self._people.forget()
            return FrameResult((), 0, Timings(), received_at, refused=answer.reason)
        if isinstance(message, FrigatePersonCount):
            return FrameResult((), message.count, Timings(), received_at)
        facts: list[Fact] = []
        for beat in self._people.take(message, received_s=received_at.timestamp()):
            facts += self._pipeline.detections(self._detections(beat), received_at=received_at).facts
        return FrameResult(tuple(facts), self._people.in_view, Timings(), received_at)

    def _detections(self, beat: Beat) -> CameraDetections:
        # Made of what was checked at the door, so it is not checked again: there may be hundreds.
        make: Callable[..., Detection] = Detection.model_construct
        width, height = self._size
        return CameraDetections.model_construct(
            message_id=_NO_ID,
            captured_at=from_epoch_s(beat.at_s),
            frame_width=width,
            frame_height=height,
            detections=tuple(make(box_xyxy=box, score=_SURE) for box in beat.boxes_xyxy),
        )
