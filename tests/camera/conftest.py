from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera.detector import Detector
from edge.models import default_models_dir, load_model

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "footfall"

YARDSTICK = """
[models.footfall]
file = "yolox_nano.onnx"
sha256 = "{digest}"
task = "person-detection"
decoder = "yolox"
licence = "Apache-2.0"
score_threshold = 0.4
iou_threshold = 0.5

[models.footfall.input]
width = 416
height = 416

[models.footfall.output]
strides = [8, 16, 32]
person_class = 0
"""


@pytest.fixture(scope="session")
def videos() -> Path:
    """The folder of real footage with its truth."""
    folder = SHARED / "videos"
    if not folder.is_dir():
        pytest.skip("needs the footage of ../shared/data/footfall/videos")
    return folder


@pytest.fixture(scope="session")
def yardstick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose `footfall` is the yardstick detector."""
    source = SHARED / "yardstick" / "yolox_nano.onnx"
    if not source.is_file():
        pytest.skip("needs ../shared/data/footfall/yardstick/yolox_nano.onnx")
    folder = tmp_path_factory.mktemp("yardstick")
    (folder / source.name).write_bytes(source.read_bytes())
    (folder / "manifest.toml").write_text(YARDSTICK.format(digest=sha256(source.read_bytes()).hexdigest()))
    return folder


@pytest.fixture(scope="session")
def own_detector() -> Detector:
    """The detector that ships with the project."""
    return Detector(load_model("footfall", default_models_dir()))


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Makes a real JPEG of a given size."""

    def encoded(width: int, height: int, *flags: int) -> bytes:
        rng = np.random.default_rng(7)
        picture = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (width, height))
        done, jpeg = cv2.imencode(".jpg", picture, list(flags))
        assert done
        return bytes(jpeg)

    return encoded
