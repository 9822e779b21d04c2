"""Camera health: every fault is found, and nobody is called to a camera that is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera.detector import Detections
from edge.camera.health import COMPLAINTS, PictureHealth
from edge.camera.pipeline import CameraPipeline
from edge.camera.video import VideoFile
from edge.models import ModelInput
from edge.settings import CameraSettings
from edge.simulate.scene import DoorScene

Picture = NDArray[np.uint8]
WELL_S, FAULT_S = 40, 45


def turned(picture: Picture, *, x: float = 0.0, y: float = 0.0, degrees: float = 0.0, zoom: float = 1.0) -> Picture:
    """The picture as a camera sees it that was knocked: shifted by shares of its size, turned, or zoomed."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[:, 2] += (x * width, y * height)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 160), np.uint8)


def behind_a_hand(picture: Picture) -> Picture:
    faint = 0.2 * cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 8)
    return np.clip(faint + np.array((60, 70, 110)), 0, 255).astype(np.uint8)


FAULTS: dict[str, tuple[str, Callable[[Picture], Picture]]] = {
    "lights out": ("dark", lambda picture: (picture * 0.03).astype(np.uint8)),
    "a hand on the lens": ("covered", behind_a_hand),
    "spray on the lens": ("covered", lambda picture: np.full_like(picture, 180)),
    "out of focus": ("blurred", blurred),
    "nudged": ("moved", lambda picture: turned(picture, x=0.04)),
    "pushed": ("moved", lambda picture: turned(picture, x=0.1, y=0.05)),
    "hanging": ("moved", lambda picture: turned(picture, degrees=6)),
    "zoomed": ("moved", lambda picture: turned(picture, zoom=1.25)),
}

HARMLESS: dict[str, Callable[[Picture], Picture]] = {
    "half the light": lambda picture: (picture * 0.5).astype(np.uint8),
    "a quarter of the light": lambda picture: (picture * 0.25).astype(np.uint8),
    "more light": lambda picture: np.clip(picture * 1.3 + 10, 0, 255).astype(np.uint8),
    "warmer light": lambda picture: np.clip(picture * np.array((0.8, 1.0, 1.15)), 0, 255).astype(np.uint8),
    "trembling": lambda picture: turned(picture, x=0.003, y=0.002),
}


def sent(picture: Picture) -> Picture:
    """What is left of a picture after the camera's JPEG."""
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], 1), np.uint8)


@pytest.fixture(scope="module", params=[3, 11])
def scene(request: pytest.FixtureRequest) -> list[Picture]:
    """A minute and a half of a shop door, a picture a second."""
    door = DoorScene(seed=request.param, width=320, height=240)
    return [sent(door.frame(second).image_bgr) for second in range(90)]


def watch(health: PictureHealth, pictures: Iterator[Picture], *, begin_s: int, seconds: int) -> list[tuple[int, tuple]]:
    """Show a picture a second; what was said, and when."""
    told = []
    for second in range(begin_s, begin_s + seconds):
        said = health.look(next(pictures), at_s=float(second))
        if said is not None:
            told.append((second, said))
    return told


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_withdrawn(scene: list[Picture], name: str) -> None:
    """Within half a minute the complaint is there, it is the only one, and it goes when the camera is well again."""
    expected, fault = FAULTS[name]
    health, pictures = PictureHealth(), cycle(scene)
    assert [said for _, said in watch(health, pictures, begin_s=0, seconds=WELL_S)] == [()]
    broken = (sent(fault(picture)) for picture in pictures)
    assert watch(health, broken, begin_s=WELL_S, seconds=FAULT_S)
    assert health.complaints == (expected,)
    ((_, said),) = watch(health, pictures, begin_s=WELL_S + FAULT_S, seconds=60)
    assert said == ()


def test_a_frozen_camera_is_told(scene: list[Picture]) -> None:
    """The same picture to the bit for half a minute; a new one and it is well."""
    health, pictures = PictureHealth(), cycle(scene)
    watch(health, pictures, begin_s=0, seconds=WELL_S)
    watch(health, cycle(scene[:1]), begin_s=WELL_S, seconds=FAULT_S)
    assert health.complaints == ("frozen",)
    watch(health, pictures, begin_s=WELL_S + FAULT_S, seconds=20)
    assert health.complaints == ()


def test_an_encoder_that_repeats_a_still_scene_is_not_frozen(scene: list[Picture]) -> None:
    """Ten seconds of the same bits between two key frames are what H.264 does."""
    health = PictureHealth()
    repeated = cycle(picture for picture in scene for _ in range(10))
    watch(health, repeated, begin_s=0, seconds=600)
    assert health.complaints == ()


def test_an_hour_of_a_busy_door_is_well(scene: list[Picture]) -> None:
    """3,600 pictures with people in them: once that all is well, and not one complaint."""
    told = watch(PictureHealth(), cycle(scene), begin_s=0, seconds=3600)
    assert [said for _, said in told] == [()]


@pytest.mark.parametrize("name", HARMLESS)
def test_light_and_trembling_are_no_fault(scene: list[Picture], name: str) -> None:
    """Lamps go on and off, the sun moves, the wall shakes when the door slams."""
    health, pictures = PictureHealth(), cycle(scene)
    watch(health, pictures, begin_s=0, seconds=WELL_S)
    changed = (sent(HARMLESS[name](picture)) for picture in pictures)
    assert watch(health, changed, begin_s=WELL_S, seconds=120) == []


def test_somebody_before_the_lens_for_a_moment_is_no_fault(scene: list[Picture]) -> None:
    """Five seconds of a hand are a greeting."""
    health, pictures = PictureHealth(), cycle(scene)
    watch(health, pictures, begin_s=0, seconds=WELL_S)
    hand = (behind_a_hand(picture) for picture in pictures)
    assert watch(health, hand, begin_s=WELL_S, seconds=5) == []
    assert watch(health, pictures, begin_s=WELL_S + 5, seconds=60) == []


def test_a_camera_covered_from_the_start_is_told(scene: list[Picture]) -> None:
    """Without a usual view, nothing to be seen at all is a fault still."""
    health = PictureHealth()
    watch(health, (behind_a_hand(picture) for picture in cycle(scene)), begin_s=0, seconds=30)
    assert health.complaints == ("covered",)


def test_a_moved_camera_that_stays_is_accepted(scene: list[Picture]) -> None:
    """After six hours the new view is the usual one."""
    health, pictures = PictureHealth(), cycle(scene)
    watch(health, pictures, begin_s=0, seconds=WELL_S)
    moved = cycle([sent(turned(picture, x=0.1, y=0.05)) for picture in scene])
    watch(health, moved, begin_s=WELL_S, seconds=60)
    assert health.complaints == ("moved",)
    for step in range(2400):
        health.look(next(moved), at_s=100.0 + 10 * step)
    assert health.complaints == ()


def test_what_is_masked_is_not_judged(scene: list[Picture]) -> None:
    """A view mostly under a privacy mask is judged by the rest: black parts are neither dark nor covered."""
    mask = ((0.0, 0.0), (0.7, 0.0), (0.7, 1.0), (0.0, 1.0))

    def hidden(picture: Picture) -> Picture:
        masked = picture.copy()
        masked[:, : int(0.7 * masked.shape[1])] = 0
        return masked

    health, pictures = PictureHealth(hidden=(mask,)), (hidden(picture) for picture in cycle(scene))
    watch(health, pictures, begin_s=0, seconds=120)
    assert health.complaints == ()
    moved = (hidden(turned(picture, x=0.1, y=0.08)) for picture in cycle(scene))
    watch(health, moved, begin_s=120, seconds=45)
    assert health.complaints == ("moved",)


def test_a_clock_that_is_set_back_harms_nothing(scene: list[Picture]) -> None:
    """Health goes on from the new time."""
    health, pictures = PictureHealth(), cycle(scene)
    watch(health, pictures, begin_s=100_000, seconds=WELL_S)
    watch(health, (behind_a_hand(picture) for picture in pictures), begin_s=0, seconds=30)
    assert health.complaints == ("covered",)


@pytest.mark.parametrize("fps", [1, 5, 15])
def test_the_frame_rate_does_not_matter(scene: list[Picture], fps: int) -> None:
    """At most a picture a second is looked at, and a fault is told after the same time."""
    health, pictures = PictureHealth(), cycle(scene)
    for number in range(40 * fps):
        health.look(next(pictures), at_s=number / fps)
    dark = np.zeros_like(scene[0])
    told = [n / fps for n in range(40 * fps, 70 * fps) if health.look(dark, at_s=n / fps)]
    assert len(told) == 1
    assert told[0] == pytest.approx(49.5, abs=2)


@pytest.mark.parametrize("name", ["one-by-one-a", "store-aisle", "worker-zone"])
def test_real_footage_is_well_and_its_faults_are_found(videos: Path, name: str) -> None:
    """Real shops: no complaint over ten minutes of looped footage, and each fault put into it is told."""
    with VideoFile(videos / f"{name}.mp4") as source:
        step = max(1, round(source.fps / 2))
        pictures = [
            np.asarray(cv2.resize(picture, (384, 216), interpolation=cv2.INTER_AREA), np.uint8)
            for picture in islice((picture for _, picture in source.frames()), 0, None, step)
        ]
    there_and_back = [sent(picture) for picture in (*pictures, *pictures[::-1])]
    health = PictureHealth()
    said = watch(health, cycle(there_and_back), begin_s=0, seconds=600)
    assert {complaints for _, complaints in said} == {()}
    missed = []
    for fault, (expected, change) in FAULTS.items():
        broken, looped = PictureHealth(), cycle(there_and_back)
        watch(broken, looped, begin_s=0, seconds=WELL_S)
        watch(broken, (sent(change(picture)) for picture in looped), begin_s=WELL_S, seconds=FAULT_S)
        if broken.complaints != (expected,):
            missed.append((fault, broken.complaints))
    assert not missed


def test_every_complaint_is_known() -> None:
    """The faults above cover the list."""
    assert {expected for expected, _ in FAULTS.values()} | {"frozen"} == set(COMPLAINTS)


class Nobody:
    """A detector that finds nobody."""

    score_threshold = 0.4
    input = ModelInput(width=320, height=256)

    def detect(self, image_bgr: Picture) -> Detections:
        return Detections.of([], [])


def test_complaints_come_with_the_frame_that_brought_them(scene: list[Picture]) -> None:
    """The pipeline hands them on where they change, motion gate or not, and a refusal forgets the view."""
    said = SimpleNamespace(allowed=True, reason="")
    camera = CameraSettings(id="cam", zone="hall")
    pipeline = CameraPipeline(camera, detector=Nobody(), allowed=lambda _: said)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    dark = np.zeros_like(scene[0])
    results = [pipeline.image(scene[i].copy(), at=noon + timedelta(seconds=i)) for i in range(30)]
    results += [pipeline.image(dark.copy(), at=noon + timedelta(seconds=30 + i)) for i in range(30)]
    assert [result.complaints for result in results if result.complaints is not None] == [(), ("dark",)]
    said.allowed = False
    assert pipeline.image(dark.copy(), at=noon + timedelta(seconds=61)).complaints is None
