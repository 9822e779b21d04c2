from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.detector import LOW_SCORE, Detections, Detector
from edge.camera.letterbox import Letterbox, reduction_for
from edge.errors import ModelRefused
from edge.models import LoadedModel, ModelInput, ModelSpec, default_models_dir, load_model

SPEC = ModelSpec(
    name="toy",
    file="toy.onnx",
    sha256="0" * 64,
    task="person-detection",
    decoder="yolox",
    licence="Apache-2.0",
    input=ModelInput(width=64, height=32),
)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (320, 256), (64, 32), (1920, 1080), (1, 700)])
def test_a_letterbox_keeps_the_aspect_and_pads_the_rest(width: int, height: int) -> None:
    """The picture lies in the top left corner at one ratio; everything else is the padding colour."""
    box = Letterbox(ModelInput(width=320, height=256))
    tensor, ratio = box.place(np.full((height, width, 3), (10, 20, 30), np.uint8))
    inside_w, inside_h = max(1, int(width * ratio)), max(1, int(height * ratio))
    assert ratio == min(320 / width, 256 / height)
    assert tensor.shape == (1, 3, 256, 320)
    assert tensor[0, :, :inside_h, :inside_w].reshape(3, -1).mean(axis=1) == pytest.approx([10, 20, 30])
    assert (tensor[0, :, inside_h:] == 114).all()
    assert (tensor[0, :, :, inside_w:] == 114).all()


def test_a_letterbox_forgets_the_picture_before() -> None:
    """After a larger picture a smaller one is padded with the padding colour, not with what was there."""
    box = Letterbox(ModelInput(width=320, height=256))
    box.place(np.full((256, 320, 3), 255, np.uint8))
    tensor, _ = box.place(np.full((256, 32, 3), 1, np.uint8))
    assert (tensor[0, :, :, 32:] == 114).all()


@pytest.mark.parametrize(
    ("size", "by"), [((320, 256), 1), ((639, 480), 1), ((640, 480), 2), ((1920, 1080), 4), ((7680, 4320), 8)]
)
def test_a_jpeg_is_never_reduced_below_what_the_model_sees(size: tuple[int, int], by: int) -> None:
    """The largest divisor that still leaves the model's own resolution."""
    assert reduction_for(width=size[0], height=size[1], target=ModelInput(width=320, height=256)) == by


@given(width=st.integers(1, 8192), height=st.integers(1, 8192))
def test_a_stretched_jpeg_is_never_reduced_far_below_the_input_either_way(width: int, height: int) -> None:
    """Wide or tall, what is decoded is enlarged by a tenth at most, or is the whole picture."""
    by = reduction_for(width=width, height=height, target=ModelInput(width=320, height=256, resize="stretch"))
    assert by == 1 or (1.1 * width >= 320 * by and 1.1 * height >= 256 * by)
    assert by == 8 or 1.1 * width < 640 * by or 1.1 * height < 512 * by


@pytest.mark.parametrize(
    ("size", "by"),
    [((480, 270), 1), ((640, 480), 2), ((600, 450), 1), ((1280, 720), 2), ((1920, 1080), 4), ((1080, 1920), 2)],
)
def test_a_jpeg_for_a_stretched_input_is_reduced_by_its_nearer_side(size: tuple[int, int], by: int) -> None:
    """640 x 480 is halved though it then has 16 rows fewer than an input of 320 x 256; anything smaller is not."""
    target = ModelInput(width=320, height=256, resize="stretch")
    assert reduction_for(width=size[0], height=size[1], target=target) == by


def test_bytes_that_are_no_model_are_refused() -> None:
    """The runtime's own error becomes one line that names the model."""
    with pytest.raises(ModelRefused, match="load model: toy"):
        Detector(LoadedModel(SPEC, b"not a model"))


def test_a_model_that_is_not_what_the_manifest_says_is_refused() -> None:
    """The manifest's input size is checked against the model's own."""
    shipped = load_model("footfall", default_models_dir())
    spec = shipped.spec.model_copy(update={"input": ModelInput(width=640, height=512)})
    with pytest.raises(ModelRefused, match="manifest says"):
        Detector(LoadedModel(spec, shipped.onnx_bytes))


def test_the_shipped_model_runs_and_keeps_to_its_contract(own_detector: Detector) -> None:
    """Boxes of any picture lie inside it, scores are above the low threshold, and the same picture gives the same."""
    rng = np.random.default_rng(3)
    for height, width in ((480, 640), (90, 300), (600, 200)):
        picture = cv2.resize(rng.integers(0, 255, (9, 12, 3), np.uint8), (width, height))
        found, again = own_detector.detect(picture), own_detector.detect(picture)
        assert found.boxes_xyxy.shape == (len(found), 4)
        assert (found.scores >= LOW_SCORE).all()
        assert (found.boxes_xyxy >= 0).all()
        assert (found.boxes_xyxy <= (width, height, width, height)).all()
        assert np.array_equal(found.boxes_xyxy, again.boxes_xyxy)


def test_a_threshold_of_ones_own_wins(yardstick: Path) -> None:
    """The manifest's score threshold is a default."""
    model = load_model("footfall", yardstick)
    assert Detector(model).score_threshold == 0.4
    assert Detector(model, score_threshold=0.6).score_threshold == 0.6


def test_a_person_is_found_where_she_is(yardstick: Path, videos: Path) -> None:
    """In real footage the yardstick finds the one woman, in pixels of the picture."""
    capture = cv2.VideoCapture(str(videos / "one-by-one-a.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 100)
    picture = capture.read()[1]
    found = Detector(load_model("footfall", yardstick)).detect(np.asarray(picture, np.uint8))
    sure = found.boxes_xyxy[found.scores > 0.5]
    assert len(sure) == 1
    assert sure[0] == pytest.approx([400, 6, 525, 395], abs=30)


def test_detections_know_their_feet() -> None:
    """The foot point is the bottom centre."""
    assert Detections.of([(10, 20, 30, 80)], [0.9]).feet_xy().tolist() == [[20, 80]]
