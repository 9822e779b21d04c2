from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import cv2
import numpy as np
import pytest

from edge.camera.detector import Detections, Detector
from edge.camera.guard import FrameLimits, stamp_jpeg
from edge.camera.pipeline import CameraPipeline
from edge.errors import MessageRejected
from edge.facts import Crossing, GroupEntered, ZoneEntered
from edge.messages import CameraDetections
from edge.models import ModelInput
from edge.settings import CameraSettings, LineSettings

ID = UUID("9f6d2c52-4b6c-4f57-9d55-2f5d4a1c0a11")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOOR = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))


@dataclass
class Answer:
    allowed: bool = True
    reason: str = ""


@dataclass
class Witness:
    """Stands where the detector stands: remembers each picture it was shown, and finds what the script says."""

    script: list[Detections] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)
    score_threshold: float = 0.4
    input: ModelInput = field(default_factory=lambda: ModelInput(width=320, height=256))

    def detect(self, image_bgr: np.ndarray) -> Detections:
        self.shown.append(image_bgr.copy())
        return self.script.pop(0) if self.script else Detections.of([], [])


def camera(**more: object) -> CameraSettings:
    return CameraSettings.model_validate(
        {"id": "cam-1", "zone": "entrance", "lines": (DOOR,), "motion_gate": False, **more}
    )


def pipeline(witness: Witness, *, answer: Answer | None = None, **more: object) -> CameraPipeline:
    said = answer or Answer()
    return CameraPipeline(camera(**more), detector=witness, allowed=lambda _: said)


def walking_down(frames: int, *, width: int = 320, height: int = 240) -> list[Detections]:
    """Somebody who goes from the top to the bottom of the picture."""
    feet = np.linspace(0.25, 0.9, frames) * height
    return [Detections.of([(0.45 * width, y - 0.2 * height, 0.55 * width, y)], [0.9]) for y in feet]


def test_a_walk_over_the_line_becomes_facts(encode: Callable[..., bytes]) -> None:
    """JPEG in, one zone entry, one crossing and one group of one out, in the right direction and at the frame's time."""
    counting = pipeline(Witness(walking_down(20)))
    facts = []
    for frame in range(20):
        at = NOON + timedelta(seconds=frame / 5)
        result = counting.frame(encode(320, 240), received_at=at)
        assert result.refused is None
        facts += result.facts
    assert [type(fact) for fact in facts] == [ZoneEntered, Crossing, GroupEntered]
    crossing = facts[1]
    assert isinstance(crossing, Crossing)
    assert (crossing.camera, crossing.line, crossing.direction) == ("cam-1", "door", "in")
    assert NOON < crossing.occurred_at < NOON + timedelta(seconds=4)
    assert result.people_visible == 1
    assert facts[0] == ZoneEntered(facts[0].occurred_at, "entrance")


def test_what_the_gate_refuses_is_neither_decoded_nor_inferred(
    encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal comes before the pixels: no decoding, no inference, no tracks, and the reason is handed on."""
    witness, decoded = Witness(walking_down(9)), []
    real = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *given: decoded.append(1) or real(*given))
    answer = Answer()
    counting = pipeline(witness, answer=answer)
    for frame in range(5):
        counting.frame(encode(320, 240), received_at=NOON + timedelta(seconds=frame / 5))
    assert len(witness.shown) == len(decoded) == 5
    assert counting.people
    answer.allowed, answer.reason = False, "the notice was not attested"
    message = CameraDetections(message_id=ID, captured_at=NOON, frame_width=9, frame_height=9, detections=())
    refusals = [
        counting.frame(encode(320, 240), received_at=NOON + timedelta(seconds=2)),
        counting.image(np.zeros((240, 320, 3), np.uint8), at=NOON),
        counting.detections(message, received_at=NOON),
    ]
    assert {result.refused for result in refusals} == {"the notice was not attested"}
    assert not any(result.facts or result.people_visible for result in refusals)
    assert len(witness.shown) == len(decoded) == 5
    assert counting.people == ()


def test_the_gate_is_asked_for_every_frame(encode: Callable[..., bytes]) -> None:
    """No answer is remembered: a withdrawal takes effect with the very next frame."""
    asked: list[datetime] = []
    counting = CameraPipeline(camera(), detector=Witness(), allowed=lambda at: asked.append(at) or Answer())
    times = [NOON + timedelta(seconds=second) for second in range(3)]
    for at in times:
        counting.frame(encode(64, 48), received_at=at)
    assert asked == times


def test_a_gate_that_fails_lets_nothing_through(encode: Callable[..., bytes]) -> None:
    """An error in the gate is no yes."""

    def broken(_: datetime) -> Answer:
        raise OSError("no registry")

    witness = Witness()
    with pytest.raises(OSError, match="no registry"):
        CameraPipeline(camera(), detector=witness, allowed=broken).frame(encode(64, 48), received_at=NOON)
    assert not witness.shown


@pytest.mark.parametrize("size", [(320, 240), (1920, 1080), (641, 483)])
def test_the_detector_never_sees_what_is_masked(encode: Callable[..., bytes], size: tuple[int, int]) -> None:
    """The privacy mask is black before inference, whatever the size the picture was decoded at."""
    witness = Witness()
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    pipeline(witness, privacy_masks=(mask,)).frame(encode(*size), received_at=NOON)
    (shown,) = witness.shown
    assert not shown[:, : shown.shape[1] // 2].any()
    assert shown[:, shown.shape[1] // 2 + 3 :].any()


def test_a_large_jpeg_is_decoded_no_larger_than_needed(encode: Callable[..., bytes]) -> None:
    """1920 x 1080 reaches a 320 x 256 detector as 480 x 270, at a fraction of the work."""
    witness = Witness()
    pipeline(witness).frame(encode(1920, 1080), received_at=NOON)
    assert witness.shown[0].shape == (270, 480, 3)


def test_an_orientation_tag_does_not_turn_the_picture_under_its_mask(encode: Callable[..., bytes]) -> None:
    """A device cannot move what is masked by writing a tag."""
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    jpeg = encode(320, 240)
    turned = jpeg[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + jpeg[2:]
    witness = Witness()
    pipeline(witness).frame(turned, received_at=NOON)
    assert witness.shown[0].shape == (240, 320, 3)


def test_a_frame_the_guard_refuses_raises(encode: Callable[..., bytes]) -> None:
    """Too many pixels, or bytes that only look like a JPEG: `MessageRejected`, for the dead letters."""
    counting = CameraPipeline(
        camera(), detector=Witness(), allowed=lambda _: Answer(), limits=FrameLimits(max_pixels=10_000)
    )
    with pytest.raises(MessageRejected, match="too-many-pixels"):
        counting.frame(encode(320, 240), received_at=NOON)


@pytest.mark.parametrize(
    ("age_s", "believed"), [(0, True), (299, True), (301, False), (-1.5, True), (-3, False), (86400, False)]
)
def test_a_camera_is_believed_about_the_time_within_reason(
    encode: Callable[..., bytes], age_s: float, believed: bool
) -> None:
    """From five minutes ago to two seconds ahead the stamp is the time; else the time of arrival is."""
    captured = NOON - timedelta(seconds=age_s)
    jpeg = stamp_jpeg(encode(64, 48), captured_at=captured, message_id=ID)
    assert pipeline(Witness()).frame(jpeg, received_at=NOON).captured_at == (captured if believed else NOON)


def test_boxes_from_a_cameras_own_chip_count_as_pictures_do() -> None:
    """The same tracker and line, whoever found the boxes; one under the mask does not count."""
    mask = ((0.9, 0.0), (1.0, 0.0), (1.0, 1.0), (0.9, 1.0))
    counting = pipeline(Witness(), privacy_masks=(mask,))
    facts, visible = [], 0
    for frame, found in enumerate(walking_down(20, width=1280, height=720)):
        at = NOON + timedelta(seconds=frame / 5)
        (box,) = found.boxes_xyxy.tolist()
        hidden = (1200, 300, 1270, 500)
        boxes = ({"box_xyxy": tuple(box), "score": 0.9}, {"box_xyxy": hidden, "score": 0.9})
        message = CameraDetections.model_validate(
            {"message_id": ID, "captured_at": at, "frame_width": 1280, "frame_height": 720, "detections": boxes}
        )
        result = counting.detections(message, received_at=at)
        facts += result.facts
        visible = max(visible, result.people_visible)
    assert [fact.direction for fact in facts if isinstance(fact, Crossing)] == ["in"]
    assert visible == 1


def test_absurd_boxes_from_a_camera_harm_nobody() -> None:
    """Inside out, empty or endless boxes are nobody; what is no finite number is refused at the door already."""
    counting = pipeline(Witness())
    for second in range(5):
        at = NOON + timedelta(seconds=second / 5)
        boxes = [(50, 50, 10, 10), (5, 5, 5, 5), (1e308, 0, -1e308, 9)]
        message = CameraDetections.model_validate(
            {
                "message_id": ID,
                "captured_at": at,
                "frame_width": 640,
                "frame_height": 480,
                "detections": [{"box_xyxy": box, "score": 0.9} for box in boxes],
            }
        )
        assert counting.detections(message, received_at=at).people_visible == 0


def test_a_camera_that_changes_its_resolution_goes_on(encode: Callable[..., bytes]) -> None:
    """Pictures of another size begin a new scene and raise nothing."""
    counting = pipeline(Witness(walking_down(9) + walking_down(9, width=200, height=200)))
    for frame, size in enumerate([(320, 240)] * 9 + [(200, 200)] * 9):
        counting.frame(encode(*size), received_at=NOON + timedelta(seconds=frame / 5))
    assert [person.track_id for person in counting.people] == [1]


def test_nothing_of_a_frame_is_kept(encode: Callable[..., bytes]) -> None:
    """After a frame the pipeline holds boxes and numbers, no array larger than a thumbnail of 80 x 64 cells."""
    counting = pipeline(Witness(walking_down(3)))
    counting.frame(encode(320, 240), received_at=NOON)
    seen: set[int] = set()
    stack: list[object] = [value for name, value in vars(counting).items() if name != "_detector"]
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        assert not isinstance(one, bytes) or len(one) < 1000
        if isinstance(one, np.ndarray):
            assert one.size <= 80 * 64
        elif isinstance(one, dict):
            stack += one.values()
        elif isinstance(one, list | tuple):
            stack += one
        elif type(one).__module__.startswith("edge."):
            stack += (
                [getattr(one, name) for name in (*vars(one), *getattr(one, "__slots__", ()))]
                if hasattr(one, "__dict__")
                else [getattr(one, name) for name in one.__slots__]
            )  # type: ignore[attr-defined]


def test_the_shipped_model_carries_a_frame_to_its_result(own_detector: Detector, encode: Callable[..., bytes]) -> None:
    """With the real detector a frame is decoded, inferred and tracked, and each step's time is told."""
    counting = CameraPipeline(camera(), detector=own_detector, allowed=lambda _: Answer())
    timings = counting.frame(encode(640, 480), received_at=NOON).timings_ms
    assert timings.decode > 0
    assert timings.infer > 0
    assert timings.total == pytest.approx(timings.decode + timings.infer + timings.track)
