"""Cameras that send more than the cores carry: everybody gets a turn, and nobody gets an old picture."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from edge.camera.detector import Detections
from edge.camera.pipeline import CameraPipeline
from edge.cameras import Cameras
from edge.messages import CameraFrame, Device, Received
from edge.models import ModelInput
from edge.settings import CameraSettings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PATIENCE_S = 60
TICKS = 60
"""A second."""
JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


@dataclass(frozen=True)
class Yes:
    allowed: bool = True
    reason: str = ""


@dataclass
class SlowDetector:
    """Looks at a picture for as long as the test likes; looks end in the order in which they began."""

    begun: int = 0
    may_end: int = 0
    change: threading.Condition = field(default_factory=threading.Condition)
    score_threshold: float = 0.4
    input: ModelInput = field(default_factory=lambda: ModelInput(width=64, height=48))

    def detect(self, image_bgr: np.ndarray) -> Detections:
        with self.change:
            look = self.begun
            self.begun += 1
            self.change.notify_all()
            assert self.change.wait_for(lambda: look < self.may_end, PATIENCE_S)
        return Detections.of([], [])

    def let_end(self, looks: int = 1) -> None:
        with self.change:
            self.may_end += looks
            self.change.notify_all()

    def await_busy(self, threads: int) -> None:
        """Until all looks that may end have ended and every thread looks at the next picture."""
        with self.change:
            assert self.change.wait_for(lambda: self.begun == self.may_end + threads, PATIENCE_S)


class Shop:
    """Cameras with real pipelines on real threads and one slow detector, in a time of the test's own."""

    def __init__(self, fps: dict[str, int], *, threads: int) -> None:
        self.fps, self.threads = fps, threads
        self.detector = SlowDetector()
        self.tick = 0
        self.taken: list[tuple[str, float]] = []
        self.gauges: dict[str, float] = {}
        self.cameras = Cameras(
            {name: self._pipeline(name) for name in fps},
            threads=threads,
            deliver=lambda _: None,
            count=lambda _: None,
            gauge=self.gauges.__setitem__,
            dead_letter=lambda *_: pytest.fail("nothing here is refused"),
            merge=lambda facts: facts,
        )

    def _pipeline(self, name: str) -> CameraPipeline:
        def asked(received_at: datetime) -> Any:
            age_s = self.tick / TICKS - (received_at - NOON).total_seconds()
            self.taken.append((name, age_s))
            return Yes()

        camera = CameraSettings(id=name, zone="floor", motion_gate=False)
        return CameraPipeline(camera, detector=self.detector, allowed=asked)

    def run(self, *, seconds: int, looks_per_s: int) -> None:
        self.cameras.start()
        try:
            for self.tick in range(seconds * TICKS):
                for name, fps in self.fps.items():
                    if self.tick % (TICKS // fps) == 0:
                        at = NOON + timedelta(seconds=self.tick / TICKS)
                        self.cameras.offer(Received(Device("camera", name), CameraFrame(JPEG), at))
                self.detector.await_busy(self.threads)
                if self.tick % (TICKS // looks_per_s) == TICKS // looks_per_s - 1:
                    self.detector.let_end()
                    self.detector.await_busy(self.threads)
        finally:
            self.detector.let_end(1000)
            self.cameras.stop()


def test_cameras_at_thirty_do_not_starve_one_at_five() -> None:
    """Two cores carry twenty looks a second: the camera that sends five has all of them, the loud ones share the rest."""
    shop = Shop({"loud": 30, "louder": 30, "quiet": 5}, threads=2)
    shop.run(seconds=20, looks_per_s=20)
    taken = Counter(name for name, _ in shop.taken)
    assert shop.gauges["frames_superseded/quiet"] == 0
    assert taken["quiet"] >= 20 * 5 - 1
    assert abs(taken["loud"] - taken["louder"]) <= 2
    assert taken["loud"] + taken["louder"] >= 20 * 15 - 4


def test_what_is_looked_at_is_never_older_than_the_newest() -> None:
    """However far a camera is behind, the picture taken is the last one it sent."""
    shop = Shop({"loud": 30, "louder": 30, "quiet": 5}, threads=2)
    shop.run(seconds=10, looks_per_s=6)
    between_s = {"loud": 1 / 30, "louder": 1 / 30, "quiet": 1 / 5}
    assert all(age_s < between_s[name] + 1e-6 for name, age_s in shop.taken[:60])


@pytest.mark.parametrize("looks_per_s", [6, 20])
def test_the_budget_says_what_is_skipped(looks_per_s: int) -> None:
    """What the loud cameras' figures add up to is what they sent."""
    shop = Shop({"loud": 30, "louder": 30, "quiet": 5}, threads=2)
    shop.run(seconds=20, looks_per_s=looks_per_s)
    for name, fps in shop.fps.items():
        told = {fate: shop.gauges[f"frames_{fate}/{name}"] for fate in ("received", "analysed", "superseded")}
        assert told["received"] == 60 * fps
        # Told after ten seconds, as a rate: one picture waits and one is looked at, which is six a minute each.
        assert 0 <= told["received"] - told["analysed"] - told["superseded"] <= 12
