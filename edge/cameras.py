"""The cameras' own threads: newest frame wins, fair turns between cameras, one picture of a camera at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from edge.bus.dead_letters import DeadLetter
from edge.camera.frigate_camera import FrigateCamera
from edge.camera.pipeline import CameraPipeline, FrameResult
from edge.errors import MessageRejected
from edge.facts import Fact
from edge.frame_budget import Fate, FrameBudget
from edge.messages import CameraDetections, CameraFrame, FrigateEvent, FrigatePersonCount, Received
from edge.outcome import Outcome

__all__ = ["Cameras"]

log = structlog.get_logger(__name__)

_DETECTIONS_KEPT = 1000


@dataclass(slots=True)
class _Seat:
    """A camera's place in the queue: at most one frame waits, and boxes in order."""

    pipeline: CameraPipeline
    frigate: FrigateCamera | None = None
    frame: Received | None = None
    detections: deque[Received] = field(default_factory=lambda: deque(maxlen=_DETECTIONS_KEPT))
    busy: bool = False

    def waits(self) -> bool:
        return not self.busy and (self.frame is not None or bool(self.detections))


class Cameras:
    """Runs frames and boxes through each camera's pipeline on a few threads, and hands outcomes on."""

    def __init__(
        self,
        pipelines: dict[str, CameraPipeline],
        *,
        threads: int,
        deliver: Callable[[Outcome], object],
        count: Callable[[str], object],
        gauge: Callable[[str, float], object],
        dead_letter: Callable[[MessageRejected, Received], DeadLetter],
        merge: Callable[[tuple[Fact, ...]], tuple[Fact, ...]],
        frigate: Mapping[str, FrigateCamera] | None = None,
    ) -> None:
        """`merge` takes out of a camera's facts what another camera has told already; `frigate` are heard through an NVR.

        `count` and `gauge` get the running totals and the frame budget.
        """
        heard = frigate or {}
        self._seats = {name: _Seat(pipeline, heard.get(name)) for name, pipeline in pipelines.items()}
        self._order = deque(self._seats)
        self._deliver = deliver
        self._count = count
        self._budget = FrameBudget(pipelines, gauge=gauge)
        self._dead_letter = dead_letter
        self._merge = merge
        self._change = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._run, name=f"camera-{i}") for i in range(threads)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the pictures in hand and end; what still waits is dropped, as frames may be."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def offer(self, received: Received) -> None:
        """Take a frame or boxes from a known camera. A frame replaces the one that waits, which is counted as dropped."""
        with self._change:
            camera = received.device.id
            seat = self._seats[camera]
            self._budget.pass_to(received.received_at)
            if isinstance(received.message, CameraFrame):
                self._budget.note(camera, "received")
                if seat.frame is not None:
                    self._count("frames_dropped")
                    self._budget.note(camera, "superseded")
                seat.frame = received
            else:
                if len(seat.detections) == _DETECTIONS_KEPT:
                    self._count("detections_dropped")
                seat.detections.append(received)
            self._change.notify()

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            seat, received = turn
            try:
                self._deliver(self._work(seat, received))
            finally:
                with self._change:
                    seat.busy = False
                    self._change.notify()

    def _next(self) -> tuple[_Seat, Received] | None:
        with self._change:
            while not self._stopping:
                for name in self._order:
                    seat = self._seats[name]
                    if seat.waits():
                        self._order.remove(name)
                        self._order.append(name)
                        seat.busy = True
                        return seat, self._take(seat)
                self._change.wait()
            return None

    @staticmethod
    def _take(seat: _Seat) -> Received:
        if seat.detections:
            return seat.detections.popleft()
        received, seat.frame = seat.frame, None
        assert received is not None  # noqa: S101  `waits` said so
        return received

    def _work(self, seat: _Seat, received: Received) -> Outcome:
        """What comes of a picture or boxes; whatever happens there is an outcome, so that its receipt comes back."""
        try:
            result = self._result(seat, received)
        except MessageRejected as error:
            return self._refused(received, error)
        except Exception as error:
            # One camera's surprise must not stop the others. The trace names code and no pixel; sent again it would fail again.
            log.exception("camera.failed", camera=received.device.id)
            self._count("camera_failures")
            return self._refused(received, MessageRejected("failed", type(error).__name__))
        self._count("frames_refused" if result.refused else _seen_as(received))
        if result.skipped:
            self._count("frames_still")
        self._note(received, "refused" if result.refused else "spared" if result.skipped else "analysed")
        return Outcome(
            received.received_at,
            device=received.device,
            facts=self._merge(result.facts),
            message_id=_message_id(received),
            receipt=received.receipt,
            people_visible=result.people_visible,
            complaints=result.complaints,
            captured_at=result.captured_at,
        )

    def _refused(self, received: Received, error: MessageRejected) -> Outcome:
        self._note(received, "refused")
        return Outcome(
            received.received_at,
            device=received.device,
            message_id=_message_id(received),
            receipt=received.receipt,
            dead_letter=self._dead_letter(error, received),
        )

    def _note(self, received: Received, fate: Fate) -> None:
        if isinstance(received.message, CameraFrame):
            with self._change:
                self._budget.note(received.device.id, fate)

    @staticmethod
    def _result(seat: _Seat, received: Received) -> FrameResult:
        message = received.message
        if isinstance(message, CameraFrame):
            return seat.pipeline.frame(message.jpeg, received_at=received.received_at, captured_at=message.captured_at)
        if isinstance(message, FrigateEvent | FrigatePersonCount) and seat.frigate is not None:
            return seat.frigate.take(message, received_at=received.received_at)
        assert isinstance(message, CameraDetections)  # noqa: S101  `offer` takes nothing else
        return seat.pipeline.detections(message, received_at=received.received_at)


def _seen_as(received: Received) -> str:
    """The running total that a message adds to: an NVR's word is no picture of ours."""
    return "frigate_messages" if received.device.kind == "frigate" else "frames"


def _message_id(received: Received) -> UUID | None:
    """The id of boxes; a frame has no effect that could count twice."""
    message = received.message
    return message.message_id if isinstance(message, CameraDetections | FrigateEvent) else None
