"""Cameras: pictures become stamped JPEGs on MQTT, in memory all the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING
from uuid import UUID

import cv2

from edge.camera.guard import stamp_jpeg
from edge.clock import Clock, utc_now
from edge.errors import ThresholdError
from edge.simulate.device import ReferenceDevice
from edge.simulate.pace import FrameSlots
from edge.simulate.scene import DoorScene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FrameSender", "SimulatedCamera"]


class FrameSender:
    """Encodes pictures and hands them to a camera's device; the newest wins, none is kept."""

    def __init__(
        self, device: ReferenceDevice, *, next_id: Callable[[], UUID], clock: Clock = utc_now, jpeg_quality: int = 80
    ) -> None:
        self.device = device
        self._next_id = next_id
        self._clock = clock
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]

    def send(self, image_bgr: NDArray[np.uint8]) -> bool:
        """Publish a picture (height, width, 3), taken now; False if it was dropped."""
        captured_at = self._clock()
        encoded, jpeg = cv2.imencode(".jpg", image_bgr, self._quality)
        if not encoded:
            raise ThresholdError("encode picture", f"{image_bgr.shape}", "OpenCV made no JPEG of it")
        stamped = stamp_jpeg(bytes(jpeg), captured_at=captured_at, message_id=self._next_id())
        return self.device.publish_frame(stamped)


class SimulatedCamera:
    """A camera over a simulated shop door. Scene time is wall time since `started_s`."""

    def __init__(self, sender: FrameSender, *, scene: DoorScene, fps: float = 5.0) -> None:
        self.sender = sender
        self.scene = scene
        self._fps = fps
        self.frames_skipped = 0
        self.last_frame_s = 0.0
        """Scene time of the newest picture taken, whether it got out or not."""

    def run(
        self,
        *,
        until_s: float | None,
        stop: Event,
        started_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take pictures until `until_s` of scene time (None: without end) or until `stop`."""
        slots = FrameSlots(fps=self._fps, until_s=until_s, started_s=started_s, stop=stop, monotonic=monotonic)
        for at_s in slots:
            self.sender.send(self.scene.frame(at_s).image_bgr)
            self.last_frame_s = at_s
            self.frames_skipped = slots.skipped

    def crossings(self) -> dict[str, int]:
        """How many people have crossed the scene's line up to the last picture, `in` and `out`."""
        crossed = [crossing.direction for crossing in self.scene.crossings(until_s=self.last_frame_s)]
        return {"in": crossed.count("in"), "out": crossed.count("out")}
