from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from edge.camera.detector import Detector
from edge.errors import ModelRefused
from edge.models import load_manifest, load_model
from models.train import register_footfall
from models.train.register_footfall import described, register

Command = Callable[..., tuple[int, str, str]]

OTHERS = """# by hand
[models.older]  # of the spring
file = "older.onnx"
sha256 = "{0}"
task = "person-detection"
decoder = "yolox"
licence = "MIT"
input = {{ width = 96, height = 64 }}

[models.footfall]
file = "footfall.onnx"
sha256 = "{0}"
task = "person-detection"
decoder = "yolox"
licence = "Apache-2.0"
input = {{ width = 320, height = 256 }}
measured = {{ ap50 = 0.1 }}

# the end
""".format("0" * 64)


@pytest.fixture
def desk(tmp_path: Path, tiny_yolox: bytes) -> Path:
    """A models folder with a new file and an old manifest."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "footfall.onnx").write_bytes(tiny_yolox)
    (folder / "manifest.toml").write_text(OTHERS, "utf-8")
    return folder


def test_the_file_is_described_as_it_was_trained(tiny_yolox: bytes) -> None:
    """Stretched into the input that the file has, raw boxes, the bytes' own checksum."""
    spec = described(tiny_yolox, score_threshold=0.25)
    assert (spec.input.width, spec.input.height, spec.input.resize) == (96, 64, "stretch")
    assert (spec.output.strides, spec.output.decoded, spec.decoder) == ((8, 16, 32), False, "yolox")
    assert (spec.sha256, spec.score_threshold) == (sha256(tiny_yolox).hexdigest(), 0.25)
    assert (spec.file, spec.card, spec.licence) == ("footfall.onnx", "cards/footfall.md", "Apache-2.0")


def test_something_else_is_refused(tiny_onnx: Callable[..., bytes]) -> None:
    """A file that is no grid of boxes."""
    other = tiny_onnx({"images": (np.float32, (1, 3, 64, 96))}, {"output": np.zeros((1, 5, 6), np.float32)})
    with pytest.raises(ModelRefused, match="no yolox export"):
        described(other)


def test_only_its_own_entry_is_replaced(desk: Path, tiny_yolox: bytes) -> None:
    """The others keep their words and comments, the old figures go, and the model loads."""
    register(described(tiny_yolox), desk)
    text = (desk / "manifest.toml").read_text("utf-8")
    assert text.startswith(OTHERS[: OTHERS.index("[models.footfall]")].rstrip("\n"))
    assert set(load_manifest(desk)) == {"older", "footfall"}
    assert not load_manifest(desk)["footfall"].measured
    register(described(tiny_yolox), desk)
    assert (desk / "manifest.toml").read_text("utf-8") == text
    found = Detector(load_model("footfall", desk)).detect(np.zeros((128, 96, 3), np.uint8))
    assert found.boxes_xyxy.tolist() == [[16, 16, 32, 80]], "stretched: the picture is twice as high as the input"


def test_an_unusual_manifest_is_left_as_it_is(desk: Path, tiny_yolox: bytes) -> None:
    """Written without headers it cannot be edited line by line."""
    unusual = '[models]\nfootfall = { file = "a", sha256 = "b" }\n'
    (desk / "manifest.toml").write_text(unusual, "utf-8")
    with pytest.raises(tomllib.TOMLDecodeError):
        register(described(tiny_yolox), desk)
    assert (desk / "manifest.toml").read_text("utf-8") == unusual


def test_the_manifest_says_what_the_command_says(shop: Path, desk: Path, threshold_command: Command) -> None:
    """Described, registered and measured in one command; the figures are those that anybody gets by the command noted."""
    register_footfall.main(["--models", str(desk), "--score-threshold", "0.35", "--images-root", str(shop)])
    spec = load_manifest(desk)["footfall"]
    assert spec.score_threshold == 0.35
    program, *command = str(spec.measured["command"]).split()
    _, told, _ = threshold_command(*command, "--models", desk, "--json")
    report = json.loads(told)
    assert program == "threshold"
    assert {key: spec.measured[key] for key in ("ap50", "ap", "recall", "precision", "n")} == {
        key: report[key] for key in ("ap50", "ap", "recall", "precision", "n")
    }
    assert spec.measured["ms_per_picture"] > 0


def test_what_is_wrong_is_said_in_one_line(shop: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file; or no pictures, and then the model is registered all the same."""
    with pytest.raises(SystemExit):
        register_footfall.main(["--models", str(desk), "--score-threshold", "0.35", "--images-root", str(desk)])
    assert "registered, but not measured" in capsys.readouterr().err
    assert load_model("footfall", desk).spec.score_threshold == 0.35
    (desk / "footfall.onnx").unlink()
    with pytest.raises(SystemExit):
        register_footfall.main(["--models", str(desk), "--score-threshold", "0.35", "--images-root", str(shop)])
    assert "No such file" in capsys.readouterr().err
