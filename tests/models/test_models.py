from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from edge.errors import ModelRefused
from edge.models import default_models_dir, load_manifest, load_model

MANIFEST = """
[models.footfall]
file = "{file}"
sha256 = "{digest}"
task = "person-detection"
decoder = "yolox"
licence = "Apache-2.0"
card = "cards/footfall.md"
score_threshold = 0.35
iou_threshold = 0.5
something_new = true

[models.footfall.input]
width = 320
height = 256

[models.footfall.measured]
ap50 = 0.4
"""


def folder_of(folder: Path, *, file: str = "footfall.onnx", content: bytes = b"weights") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "footfall.onnx").write_bytes(b"weights")
    (folder / "manifest.toml").write_text(MANIFEST.format(file=file, digest=sha256(content).hexdigest()))
    return folder


def test_the_bytes_that_were_hashed_are_the_bytes_handed_on(tmp_path: Path) -> None:
    """A model is read once: what `load_model` returns has the manifest's hash, and its spec is typed."""
    loaded = load_model("footfall", folder_of(tmp_path))
    assert sha256(loaded.onnx_bytes).hexdigest() == loaded.spec.sha256
    assert (loaded.spec.input.width, loaded.spec.input.height, loaded.spec.input.pad) == (320, 256, 114)
    assert loaded.spec.output.strides == (8, 16, 32)
    assert loaded.spec.measured["ap50"] == 0.4
    assert "weights" not in repr(loaded)


def test_an_altered_model_is_refused(tmp_path: Path) -> None:
    """One changed byte and the model does not load."""
    folder = folder_of(tmp_path)
    (folder / "footfall.onnx").write_bytes(b"weightz")
    with pytest.raises(ModelRefused, match="sha256"):
        load_model("footfall", folder)


def test_an_absent_model_file_is_refused(tmp_path: Path) -> None:
    """A manifest that names a file which is not there gets one line, not a traceback."""
    folder = folder_of(tmp_path)
    (folder / "footfall.onnx").unlink()
    with pytest.raises(ModelRefused, match=r"footfall\.onnx cannot be read"):
        load_model("footfall", folder)


@pytest.mark.parametrize("file", ["../outside.onnx", "/etc/hostname", "link.onnx"])
def test_a_file_outside_the_models_folder_is_refused(tmp_path: Path, file: str) -> None:
    """Neither a path nor a symbolic link leads out of the models folder, whatever the hash says."""
    (tmp_path / "outside.onnx").write_bytes(b"weights")
    folder = folder_of(tmp_path / "models", file=file)
    (folder / "link.onnx").symlink_to(tmp_path / "outside.onnx")
    with pytest.raises(ModelRefused, match="outside"):
        load_model("footfall", folder)


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The remedy names what there is."""
    with pytest.raises(ModelRefused, match="known there: footfall"):
        load_model("faces", folder_of(tmp_path))


@pytest.mark.parametrize(
    "text", ["", "models = 3", "[models]\nfootfall = 1", "[models.footfall]\nfile = 'a'", "not toml ["]
)
def test_a_manifest_that_cannot_be_understood_refuses_its_models(tmp_path: Path, text: str) -> None:
    """No half-read manifest: whatever is wrong with it, the model is refused."""
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ModelRefused):
        load_model("footfall", tmp_path)


def test_no_manifest_is_refused_with_a_remedy(tmp_path: Path) -> None:
    """An empty folder says how to name another one."""
    with pytest.raises(ModelRefused, match="THRESHOLD_MODELS"):
        load_manifest(tmp_path)


def test_the_environment_names_the_models_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """THRESHOLD_MODELS wins; without it the folder beside the package is used."""
    monkeypatch.setenv("THRESHOLD_MODELS", str(tmp_path))
    assert default_models_dir() == tmp_path
    monkeypatch.delenv("THRESHOLD_MODELS")
    assert default_models_dir().name == "models"
