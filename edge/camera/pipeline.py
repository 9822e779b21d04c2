"""One camera's way from a frame to facts: guard, gate, decode, mask, detect, track, count.

Nothing is kept but tracks: a frame lives on this module's stack and is gone when it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.counting import CountingLine
from edge.camera.detector import Detections
from edge.camera.floor import Floor
from edge.camera.guard import FrameLimits, JpegHeader, frame_stamp, inspect_jpeg
from edge.camera.health import Complaint, PictureHealth
from edge.camera.letterbox import reduction_for
from edge.camera.mask import PrivacyMask
from edge.camera.motion import MotionGate
from edge.camera.tracker import TrackedPerson, Tracker
from edge.camera.witness import Witness, in_view
from edge.errors import MessageRejected
from edge.facts import Fact
from edge.messages import CameraDetections
from edge.models import ModelInput
from edge.settings import CameraSettings

__all__ = ["CameraPipeline", "FrameResult", "Gate", "GateAnswer", "PeopleDetector", "Timings"]

OLDEST = timedelta(minutes=5)
EARLIEST = timedelta(seconds=2)
"""A device's clock is believed from five minutes ago to two seconds ahead."""

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class GateAnswer(Protocol):
    """What the consent gate says."""

    @property
    def allowed(self) -> bool:
        """Whether inference may run."""
        ...

    @property
    def reason(self) -> str:
        """Why not, in words for a log and a page."""
        ...


Gate = Callable[[datetime], GateAnswer]
"""Asked at the moment of inference; gives the answer for that moment."""


class PeopleDetector(Protocol):
    """Finds people in a picture; `edge.camera.detector.Detector` is one."""

    score_threshold: float

    @property
    def input(self) -> ModelInput:
        """The picture it wants."""
        ...

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """People in `image_bgr`."""
        ...


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that one frame took, by step."""

    decode: float = 0.0
    infer: float = 0.0
    track: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What came of one frame.

    `refused` is the gate's reason when it said no; then nothing was decoded. `skipped` says that the picture had not
    changed, and what was found in it before was taken as found again.
    """

    facts: tuple[Fact, ...]
    people_visible: int
    timings_ms: Timings
    captured_at: datetime
    refused: str | None = None
    skipped: bool = False
    complaints: tuple[Complaint, ...] | None = None
    """All that ails the camera's picture, where that changed with this frame."""


class CameraPipeline:
    """One camera. One thread uses it; its detector may serve several cameras of that thread."""

    def __init__(
        self,
        camera: CameraSettings,
        *,
        detector: PeopleDetector,
        allowed: Gate,
        limits: FrameLimits | None = None,
        stopwatch: Callable[[], float] = perf_counter,
    ) -> None:
        """`allowed` is asked before each inference; `limits` bound what may be decoded."""
        self._camera = camera
        self._detector = detector
        self._allowed = allowed
        self._limits = limits or FrameLimits()
        self._stopwatch = stopwatch
        self._mask = PrivacyMask(camera.privacy_masks)
        self._health = PictureHealth(hidden=camera.privacy_masks)
        self._motion = MotionGate() if camera.motion_gate else None
        self._scene: _Scene | None = None
        self.people: tuple[TrackedPerson, ...] = ()
        self.found: Detections | None = None

    @property
    def tracks_confirmed(self) -> int:
        """How many tracks have become people since the scene began."""
        return self._scene.tracker.confirmed_total if self._scene else 0

    def frame(self, jpeg: bytes, *, received_at: datetime, captured_at: datetime | None = None) -> FrameResult:
        """Take one JPEG.

        Raises:
            MessageRejected: the guard refuses it, or it cannot be decoded.
        """
        started = self._stopwatch()
        header = inspect_jpeg(jpeg, limits=self._limits)
        at = _believed(captured_at or frame_stamp(header), received_at=received_at)
        answer = self._allowed(received_at)
        if not answer.allowed:
            return self._refused(answer.reason, at)
        image_bgr = self._decode(jpeg, header)
        decode_ms = 1e3 * (self._stopwatch() - started)
        return self._infer(image_bgr, at, decode_ms=decode_ms)

    def image(self, image_bgr: NDArray[np.uint8], *, at: datetime) -> FrameResult:
        """Take one picture that is decoded already; the privacy mask is drawn into it."""
        answer = self._allowed(at)
        if not answer.allowed:
            return self._refused(answer.reason, at)
        return self._infer(image_bgr, at, decode_ms=0.0)

    def detections(self, message: CameraDetections, *, received_at: datetime) -> FrameResult:
        """Take boxes that the camera found on its own chip; the same tracker and lines count them."""
        at = _believed(message.captured_at, received_at=received_at)
        answer = self._allowed(received_at)
        if not answer.allowed:
            return self._refused(answer.reason, at)
        width, height = message.frame_width, message.frame_height
        found = _detections_of(message)
        shown = ~self._mask.hides(found.feet_xy(), width=width, height=height)
        visible = Detections(found.boxes_xyxy[shown], found.scores[shown])
        if self._motion is not None:
            self._motion.forget()  # what the chip found is no answer to the last picture
        return self._count(visible, at, width=width, height=height, spent=Timings())

    def finish(self, *, at: datetime) -> tuple[Fact, ...]:
        """End the stream: crossings of those who vanished on a line, and nobody is remembered."""
        facts = tuple(self._scene.floor.finish(at)) if self._scene else ()
        self._forget()
        return facts

    def _decode(self, jpeg: bytes, header: JpegHeader) -> NDArray[np.uint8]:
        by = reduction_for(width=header.width, height=header.height, target=self._detector.input)
        # The orientation tag is ignored: a device must not be able to turn the picture under its privacy mask.
        flags = _REDUCED[by] | cv2.IMREAD_IGNORE_ORIENTATION
        image_bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags)
        if image_bgr is None:
            raise MessageRejected("undecodable", f"a frame of {len(jpeg)} bytes")
        return np.asarray(image_bgr, np.uint8)

    def _infer(self, image_bgr: NDArray[np.uint8], at: datetime, *, decode_ms: float) -> FrameResult:
        started = self._stopwatch()
        self._mask.apply(image_bgr)
        complaints = self._health.look(image_bgr, at_s=at.timestamp())
        height, width = image_bgr.shape[:2]
        found = self._unchanged(image_bgr, at, scene=self._scene_of(width, height))
        skipped = found is not None
        if found is None:
            found = self._detector.detect(image_bgr)
        infer_ms = 1e3 * (self._stopwatch() - started)
        spent = Timings(decode=decode_ms, infer=infer_ms)
        result = self._count(found, at, width=width, height=height, spent=spent, skipped=skipped, picture=image_bgr)
        return result if complaints is None else replace(result, complaints=complaints)

    def _unchanged(self, image_bgr: NDArray[np.uint8], at: datetime, *, scene: _Scene) -> Detections | None:
        """What was found at the last look, if nothing has moved since and nobody is about to be counted."""
        if self._motion is None:
            return None
        at_s = at.timestamp()
        if not scene.settled(self.people):
            self._motion.forget()
        elif self._motion.still(image_bgr, at_s=at_s) and self.found is not None:
            return self.found
        self._motion.looked(at_s=at_s)
        return None

    def _count(
        self,
        found: Detections,
        at: datetime,
        *,
        width: int,
        height: int,
        spent: Timings,
        skipped: bool = False,
        picture: NDArray[np.uint8] | None = None,
    ) -> FrameResult:
        started = self._stopwatch()
        scene = self._scene_of(width, height)
        self.found = found
        at_s = at.timestamp()
        shares = None if picture is None else scene.witness.shares(picture, found, self.people, at_s=at_s)
        self.people = scene.tracker.update(found, at_s=at_s, shares=shares)
        facts = tuple(scene.floor.facts(self.people, at))
        track_ms = 1e3 * (self._stopwatch() - started)
        timings = Timings(spent.decode, spent.infer, track_ms, spent.decode + spent.infer + track_ms)
        in_sight = sum(map(in_view, self.people)) if picture is None else scene.witness.count(self.people, at_s=at_s)
        return FrameResult(facts, in_sight, timings, at, skipped=skipped)

    def _scene_of(self, width: int, height: int) -> _Scene:
        if self._scene is None or self._scene.size_wh != (width, height):
            threshold = self._camera.score_threshold
            if threshold is None:
                threshold = self._detector.score_threshold
            self._scene = _Scene(self._camera, width=width, height=height, score_threshold=threshold)
            self.people, self.found = (), None
        return self._scene

    def _refused(self, reason: str, at: datetime) -> FrameResult:
        self._forget()
        return FrameResult((), 0, Timings(), at, refused=reason)

    def _forget(self) -> None:
        self._scene, self.people, self.found = None, (), None
        self._health = PictureHealth(hidden=self._camera.privacy_masks)


class _Scene:
    """Tracker and counters for pictures of one size; another size begins anew."""

    def __init__(self, camera: CameraSettings, *, width: int, height: int, score_threshold: float) -> None:
        self.size_wh = (width, height)
        self.witness = Witness(width_px=width, height_px=height, score_threshold=score_threshold)
        self.tracker = Tracker(width_px=width, height_px=height, score_threshold=score_threshold)
        self.floor = Floor(camera, width_px=width, height_px=height)
        # Asked only where they lie; the floor has lines of its own to count with.
        self._lines = [CountingLine(line, width_px=width, height_px=height) for line in camera.lines]

    def settled(self, people: tuple[TrackedPerson, ...]) -> bool:
        """Whether everybody is known, in view and away from the lines: an unchanged picture then changes nothing."""
        return all(
            person.confirmed and person.missing_s == 0 and not any(line.near(person) for line in self._lines)
            for person in people
        )


def _detections_of(message: CameraDetections) -> Detections:
    boxes = np.array([one.box_xyxy for one in message.detections], np.float64).reshape(-1, 4)
    width, height = message.frame_width, message.frame_height
    inside = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
    return Detections(inside, np.array([one.score for one in message.detections], np.float32))


def _believed(captured_at: datetime | None, *, received_at: datetime) -> datetime:
    if captured_at is None or not -EARLIEST <= received_at - captured_at <= OLDEST:
        return received_at
    return captured_at.astimezone(received_at.tzinfo)
