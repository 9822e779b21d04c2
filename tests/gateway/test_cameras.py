"""The cameras' threads: newest frame wins, everybody gets a turn, and every receipt comes back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from edge.bus.dead_letters import DeadLetter
from edge.camera.pipeline import FrameResult, Timings
from edge.cameras import Cameras
from edge.errors import MessageRejected
from edge.messages import CameraDetections, CameraFrame, Device, Receipt, Received
from edge.outcome import Outcome

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PATIENCE_S = 30


class Pipeline:
    """A pipeline that waits for a nod, and does what it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.seen: list[bytes] = []
        self.busy, self.nod = threading.Event(), threading.Event()
        self.nod.set()

    def frame(self, jpeg: bytes, **_: Any) -> FrameResult:
        self.seen.append(jpeg)
        self.busy.set()
        assert self.nod.wait(PATIENCE_S)
        return self._result()

    def detections(self, message: CameraDetections, **_: Any) -> FrameResult:
        return self._result()

    def _result(self) -> FrameResult:
        if self.error is not None:
            raise self.error
        return FrameResult((), 0, Timings(), NOON)


class Room:
    """Cameras with outcomes and counts that a test can wait for."""

    def __init__(self, **pipelines: Pipeline) -> None:
        self.outcomes: list[Outcome] = []
        self.counts: list[str] = []
        self.gauges: dict[str, float] = {}
        self._change = threading.Condition()
        self.cameras = Cameras(
            pipelines,  # type: ignore[arg-type]
            threads=1,
            deliver=self._deliver,
            count=self.counts.append,
            gauge=self.gauges.__setitem__,
            dead_letter=lambda error, _: DeadLetter(error.reason, "topic", 0, ""),
            merge=lambda facts: facts,
        )
        self.cameras.start()

    def _deliver(self, outcome: Outcome) -> None:
        with self._change:
            self.outcomes.append(outcome)
            self._change.notify_all()

    def await_(self, n: int) -> None:
        with self._change:
            assert self._change.wait_for(lambda: len(self.outcomes) >= n, PATIENCE_S)


def frame(jpeg: bytes, *, camera: str = "door", at: datetime = NOON) -> Received:
    return Received(Device("camera", camera), CameraFrame(jpeg), at)


def boxes() -> Received:
    message = CameraDetections(message_id=uuid4(), captured_at=NOON, frame_width=9, frame_height=9, detections=())
    return Received(Device("camera", "door"), message, NOON, Receipt(7, 1))


def test_the_newest_frame_wins_and_the_dropped_are_counted():
    """A slow camera room sees the frame of now, not the queue of then."""
    pipeline = Pipeline()
    pipeline.nod.clear()
    room = Room(door=pipeline)
    room.cameras.offer(frame(b"1"))
    assert pipeline.busy.wait(PATIENCE_S)
    for jpeg in (b"2", b"3", b"4"):
        room.cameras.offer(frame(jpeg))
    pipeline.nod.set()
    room.await_(2)
    room.cameras.stop()
    assert pipeline.seen == [b"1", b"4"]
    assert room.counts.count("frames_dropped") == 2


def test_a_busy_camera_does_not_starve_another():
    """Turns go round."""
    loud, quiet = Pipeline(), Pipeline()
    loud.nod.clear()
    room = Room(loud=loud, quiet=quiet)
    room.cameras.offer(frame(b"1", camera="loud"))
    assert loud.busy.wait(PATIENCE_S)
    room.cameras.offer(frame(b"2", camera="loud"))
    room.cameras.offer(frame(b"q", camera="quiet"))
    loud.nod.set()
    room.await_(3)
    room.cameras.stop()
    assert [outcome.device.id for outcome in room.outcomes if outcome.device] == ["loud", "quiet", "loud"]


@pytest.mark.parametrize(
    ("error", "reason"), [(MessageRejected("truncated", "a frame"), "truncated"), (RuntimeError("pixels"), "failed")]
)
def test_every_receipt_comes_back_whatever_happens(error: Exception, reason: str):
    """Boxes that are refused, or that something breaks on, become a dead letter with their receipt and id."""
    room = Room(door=Pipeline(error))
    received = boxes()
    room.cameras.offer(received)
    room.cameras.offer(frame(b"next"))
    room.await_(2)
    room.cameras.stop()
    first = room.outcomes[0]
    assert first.receipt == received.receipt
    assert first.message_id is not None
    assert first.dead_letter is not None
    assert first.dead_letter.reason == reason


def test_what_became_of_the_pictures_is_told():
    """Every picture received is analysed, superseded or refused; the page reads it from gauges."""
    pipeline = Pipeline()
    pipeline.nod.clear()
    room = Room(door=pipeline)
    room.cameras.offer(frame(b"1"))
    assert pipeline.busy.wait(PATIENCE_S)
    for second in (1, 2, 3):
        room.cameras.offer(frame(b"more", at=NOON + timedelta(seconds=second)))
    pipeline.nod.set()
    room.await_(2)
    pipeline.error = MessageRejected("truncated", "a frame")
    room.cameras.offer(frame(b"bad", at=NOON + timedelta(seconds=4)))
    room.await_(3)
    room.cameras.offer(boxes())
    room.cameras.offer(frame(b"later", at=NOON + timedelta(seconds=10)))
    room.cameras.stop()
    fates = {"received": 30, "analysed": 12, "superseded": 12, "spared": 0, "refused": 6}
    assert room.gauges == {f"frames_{fate}/door": value for fate, value in fates.items()}
