from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Semaphore

import cv2
import numpy as np
import pytest

from edge.camera.detector import Detections, Detector
from edge.camera.motion import LOOK_EVERY_S, MotionGate
from edge.camera.pipeline import CameraPipeline
from edge.camera.video import VideoFile
from edge.cameras import Cameras
from edge.facts import Crossing
from edge.messages import CameraFrame, Device, Received
from edge.models import ModelInput, load_model
from edge.settings import CameraSettings, LineSettings
from edge.simulate.scene import DoorScene

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINES = {
    "one-by-one-a": ((0.78, 0.0), (0.78, 1.0)),
    "store-aisle": ((0.5, 0.0), (0.5, 1.0)),
    "worker-zone": ((0.45, 0.0), (0.45, 1.0)),
}


class Yes:
    allowed = True
    reason = ""


class Script:
    """A detector that finds what it is told, and counts how often it is asked."""

    score_threshold = 0.4
    input = ModelInput(width=320, height=256)

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = list(boxes)
        self.looks = 0

    def detect(self, image_bgr: np.ndarray) -> Detections:
        self.looks += 1
        return Detections.of(self.boxes, [0.9] * len(self.boxes))


def room(grey: int = 90) -> np.ndarray:
    return np.full((240, 320, 3), grey, np.uint8)


def watching(detector: Script | Detector, *, gate: bool = True, **more: object) -> CameraPipeline:
    camera = CameraSettings.model_validate(
        {
            "id": "cam-1",
            "zone": "entrance",
            "lines": ({"name": "door", "points": ((0, 0.5), (1, 0.5))},),
            "motion_gate": gate,
            **more,
        }
    )
    return CameraPipeline(camera, detector=detector, allowed=lambda _: Yes())


def show(pipeline: CameraPipeline, pictures: list[np.ndarray], *, fps: float = 5, begin_s: float = 0) -> list[bool]:
    """Which of the pictures the detector was spared."""
    return [
        pipeline.image(picture.copy(), at=NOON + timedelta(seconds=begin_s + index / fps)).skipped
        for index, picture in enumerate(pictures)
    ]


def test_an_empty_room_is_looked_at_now_and_then() -> None:
    """Nothing moves: one look, then one every `LOOK_EVERY_S`, however long it lasts."""
    detector = Script()
    skipped = show(watching(detector), [room()] * 100)
    assert detector.looks == 100 - sum(skipped) == 20 / LOOK_EVERY_S


def test_without_the_gate_every_picture_is_looked_at() -> None:
    """It can be switched off for a camera."""
    detector = Script()
    assert not any(show(watching(detector, gate=False), [room()] * 30))
    assert detector.looks == 30


def test_whoever_comes_in_is_seen_in_the_very_picture() -> None:
    """A small dark figure in a corner is a change; nothing waits for the next look."""
    figure = room()
    figure[200:216, 300:306] = 60
    detector = Script()
    assert show(watching(detector), [room()] * 3 + [figure]) == [False, True, True, False]


def test_somebody_who_creeps_is_noticed_in_the_end() -> None:
    """What is compared with is the picture last looked at, so slow changes add up."""
    pictures = [room(90 + index // 4) for index in range(40)]
    skipped = show(watching(Script()), pictures, fps=100)
    assert any(skipped)
    assert skipped.count(False) >= 2


def test_noise_is_no_motion() -> None:
    """A sensor's noise and the JPEG's do not wake the detector."""
    rng = np.random.default_rng(2)
    noisy = [np.clip(room() + rng.normal(0, 4, (240, 320, 3)), 0, 255).astype(np.uint8) for _ in range(9)]
    assert sum(show(watching(Script()), noisy)) == 8


def test_what_the_mask_hides_moves_nobody() -> None:
    """Passers-by under the privacy mask do not cost a look."""
    street = [room() for _ in range(8)]
    for index, picture in enumerate(street):
        picture[:100, 30 * index : 30 * index + 40] = 255
    mask = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))
    assert sum(show(watching(Script(), privacy_masks=(mask,)), street)) == 7


def test_a_new_track_is_followed_until_it_is_somebody() -> None:
    """While anybody is doubtful the detector looks, and then whoever stands far from the line may be left standing."""
    detector = Script((20, 10, 50, 70))
    pipeline = watching(detector)
    skipped = show(pipeline, [room()] * 10)
    assert not any(skipped[:2])
    assert any(skipped)
    (person,) = pipeline.people
    assert (person.confirmed, person.missing_s) == (True, 0)


def test_nobody_near_a_line_is_skipped() -> None:
    """Somebody stands on the line: every picture is looked at."""
    detector = Script((100, 40, 140, 120))
    assert not any(show(watching(detector), [room()] * 30))


def test_somebody_who_stands_still_is_not_lost() -> None:
    """The same person is still there after a minute without motion, under the same id."""
    pipeline = watching(Script((20, 10, 50, 70)))
    show(pipeline, [room()] * 10)
    before = pipeline.people[0].track_id
    show(pipeline, [room()] * 300, begin_s=2)
    assert [person.track_id for person in pipeline.people] == [before]


@pytest.mark.parametrize("step_s", [-100.0, 100.0])
def test_a_clock_that_jumps_costs_a_look(step_s: float) -> None:
    """A picture from another time is looked at, whatever it shows."""
    gate = MotionGate()
    for at_s, still in ((50.0, False), (50.2, True), (50.2 + step_s, False)):
        assert gate.still(room(), at_s=at_s) is still
        if not still:
            gate.looked(at_s=at_s)


def test_a_door_is_counted_alike_with_and_without_the_gate(own_detector: Detector) -> None:
    """A simulated entrance, people now and then: the same crossings, fewer looks."""
    scene = DoorScene(seed=11, people_per_minute=15, last_entry_s=25)
    x1, y1, x2, y2 = scene.line
    lines = (LineSettings(name="door", points=((x1, y1), (x2, y2))),)
    counted: dict[bool, list[str]] = {}
    for gate in (True, False):
        pipeline, facts, spared = watching(own_detector, gate=gate, lines=lines), [], 0
        for index in range(45 * 5):
            at = NOON + timedelta(seconds=index / 5)
            jpeg = cv2.imencode(".jpg", scene.frame(index / 5).image_bgr)[1].tobytes()
            result = pipeline.frame(jpeg, received_at=at)
            facts += result.facts
            spared += result.skipped
        facts += pipeline.finish(at=at)
        counted[gate] = [fact.direction for fact in facts if isinstance(fact, Crossing)]
        assert (spared > 20) is gate
    assert counted[True] == counted[False]
    assert len(counted[True]) == len(scene.crossings(until_s=45)) > 2


@pytest.mark.parametrize("name", LINES)
def test_real_footage_is_counted_alike_with_and_without_the_gate(videos: Path, yardstick: Path, name: str) -> None:
    """Every crossing at the same moment."""
    detector = Detector(load_model("footfall", yardstick))
    with VideoFile(videos / f"{name}.mp4") as source:
        pictures = list(source.frames())
    counted = []
    for gate in (True, False):
        pipeline = watching(detector, gate=gate, lines=(LineSettings(name="door", points=LINES[name]),))
        facts = []
        for at_s, picture in pictures:
            facts += pipeline.image(picture, at=NOON + timedelta(seconds=at_s)).facts
        facts += pipeline.finish(at=NOON + timedelta(minutes=5))
        counted.append([(fact.occurred_at, fact.direction) for fact in facts if isinstance(fact, Crossing)])
    assert counted[0] == counted[1]


def test_the_gateway_counts_what_it_spares() -> None:
    """Every picture is counted, and those that the gate let rest besides: the page can say so."""
    counts: Counter[str] = Counter()
    done = Semaphore(0)

    def count(name: str) -> None:
        counts[name] += 1

    cameras = Cameras(
        {"cam-1": watching(Script())},
        threads=1,
        deliver=lambda _: done.release(),
        count=count,
        gauge=lambda *_: None,
        dead_letter=lambda *_: pytest.fail("nothing here is refused"),
        merge=lambda facts: facts,
    )
    jpeg = cv2.imencode(".jpg", room())[1].tobytes()
    cameras.start()
    try:
        for index in range(5):
            at = NOON + timedelta(seconds=index / 5)
            cameras.offer(Received(Device("camera", "cam-1"), CameraFrame(jpeg), at))
            assert done.acquire(timeout=60)
    finally:
        cameras.stop()
    assert counts == {"frames": 5, "frames_still": 4}
