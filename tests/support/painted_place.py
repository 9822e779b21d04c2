"""A fixed camera's place, painted: a patterned room, things that stand in it, people who come; and a scripted detector."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from edge.camera.detector import Detections
from edge.camera.pipeline import CameraPipeline, FrameResult
from edge.facts import Crossing
from edge.models import ModelInput
from edge.settings import CameraSettings

Box = tuple[float, float, float, float]
Found = list[tuple[Box, float]]

WIDTH, HEIGHT = 480, 320
FPS = 5.0
_SLACK = 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def patch(seed: int, *, width: int, height: int, dark: int, bright: int, grain: int = 12) -> np.ndarray:
    """A smooth random pattern (height, width, 3)."""
    coarse = np.random.default_rng(seed).integers(dark, bright, (max(height // grain, 2), max(width // grain, 2), 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


ROOM = patch(1, width=WIDTH, height=HEIGHT, dark=90, bright=190, grain=20)


def box_at(x: float, foot_y: float, *, height: float = 130) -> Box:
    """Somebody's box by the foot point."""
    return (x - 0.19 * height, foot_y - height, x + 0.19 * height, foot_y)


def put(picture: np.ndarray, box: Box, *, seed: int, dark: int = 0, bright: int = 110) -> None:
    """Paint a patterned figure into `picture`."""
    left, top, right, bottom = (round(side) for side in box)
    figure = patch(seed, width=right - left, height=bottom - top, dark=dark, bright=bright)
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, WIDTH), min(bottom, HEIGHT)
    if x1 < x2 and y1 < y2:
        picture[y1:y2, x1:x2] = figure[y1 - top : y2 - top, x1 - left : x2 - left]


class _Yes:
    allowed = True
    reason = ""


class Script:
    """A detector that finds what it is told."""

    score_threshold = 0.3
    input = ModelInput(width=320, height=256)

    def __init__(self) -> None:
        self.finds: Found = []
        self.looks = 0

    def detect(self, image_bgr: np.ndarray) -> Detections:
        self.looks += 1
        return Detections.of([box for box, _ in self.finds], [score for _, score in self.finds])


@dataclass
class Camera:
    """A camera over the place; `show` gives it one picture and what the detector finds there."""

    seed: int = 0
    noise: float = 3.0
    gate: bool = False
    at_s: float = 0.0
    detector: Script = field(default_factory=Script)
    facts: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        # One sheet of sensor noise, of which each frame takes another cut.
        sheet = self.rng.normal(0, self.noise, (HEIGHT + _SLACK, WIDTH + _SLACK, 3))
        self._sheet = np.rint(sheet).astype(np.int8)
        settings = {
            "id": "cam",
            "zone": "hall",
            "motion_gate": self.gate,
            "lines": ({"name": "door", "points": ((0.25, 0.0), (0.25, 1.0))},),
        }
        self.pipeline = CameraPipeline(
            CameraSettings.model_validate(settings), detector=self.detector, allowed=lambda _: _Yes()
        )

    def show(self, picture: np.ndarray, finds: Found) -> FrameResult:
        """The next frame, a fifth of a second later."""
        self.detector.finds = finds
        down, right = self.rng.integers(0, _SLACK, 2)
        noise = self._sheet[down : down + HEIGHT, right : right + WIDTH]
        frame = np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)
        result = self.pipeline.image(frame, at=NOON + timedelta(seconds=self.at_s))
        self.at_s += 1 / FPS
        self.facts += result.facts
        return result

    def play(self, seconds: float, scene: Callable[[float], tuple[np.ndarray, Found]]) -> list[int]:
        """So many seconds of `scene`, which is asked at seconds since its own beginning; who is visible, by frame."""
        begin_s = self.at_s
        return [self.show(*scene(self.at_s - begin_s)).people_visible for _ in range(round(seconds * FPS))]

    def crossings(self) -> list[str]:
        """Directions of the crossings so far."""
        return [fact.direction for fact in self.facts if isinstance(fact, Crossing)]


def flickering(rng: np.random.Generator, boxes: Iterable[Box], *, low: float = 0.3, high: float = 0.55) -> Found:
    """Things that a detector half takes for people: in most frames, of changing score and size."""
    finds = []
    for box in boxes:
        if rng.random() < 0.85:
            height = box[3] - box[1]
            wobbly = np.array(box) + rng.normal(0, 0.03 * height, 4)
            finds.append(((wobbly[0], wobbly[1], wobbly[2], wobbly[3]), float(rng.uniform(low, high))))
    return finds
