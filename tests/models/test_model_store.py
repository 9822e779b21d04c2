from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelRefused
from edge.model_store import add_model, file_for, remove_model
from edge.models import LOCAL_NAME, MANIFEST_NAME, ModelInput, ModelOutput, ModelSpec, load_manifest, load_model

SHIPPED = """
[models.footfall]
file = "footfall.onnx"
sha256 = "{0}"
task = "person-detection"
decoder = "yolox"
licence = "Apache-2.0"
input = {{ width = 320, height = 256 }}
"""
BY_HAND = """# our own models
[models.older]  # trained in spring
file = "older.onnx"
sha256 = "{0}"
task = "person-detection"
decoder = "query"
licence = "MIT"

  [ models . older . input ]
  width = 640
  height = 640

# the end
"""
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def spec_of(name: str, content: bytes = b"weights", **more: object) -> ModelSpec:
    entry = {
        "name": name,
        "file": file_for(name, content),
        "sha256": sha256(content).hexdigest(),
        "task": "person-detection",
        "decoder": "yolox",
        "licence": "Apache-2.0",
        "input": ModelInput(width=416, height=416),
    }
    return ModelSpec.model_validate({**entry, **more})


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_added_model_loads_by_name(tmp_path: Path) -> None:
    """Its copy, its hash and its entry agree, in a folder that did not exist."""
    folder = tmp_path / "models"
    add_model(spec_of("nano"), b"weights", folder)
    assert load_model("nano", folder).onnx_bytes == b"weights"
    assert files_of(folder) == ["local.toml", spec_of("nano").file]


def test_what_ships_and_what_was_added_are_one_list(tmp_path: Path) -> None:
    """Both manifests are read, and the shipped one is not touched."""
    (tmp_path / MANIFEST_NAME).write_text(SHIPPED.format("0" * 64))
    add_model(spec_of("nano"), b"weights", tmp_path)
    assert list(load_manifest(tmp_path)) == ["footfall", "nano"]
    assert (tmp_path / MANIFEST_NAME).read_text() == SHIPPED.format("0" * 64)


@settings(deadline=None)
@given(st.dictionaries(names, st.tuples(words, st.floats(0, 1), st.floats(1e-6, 1e6)), min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, tuple[str, float, float]]
) -> None:
    """Whatever the names, words and numbers, every entry comes back as it went in, and goes without a trace."""
    folder = tmp_path_factory.mktemp("models")
    specs = {
        name: spec_of(
            name,
            licence=licence,
            score_threshold=score,
            input=ModelInput(width=64, height=96, scale=scale, mean=(score, -scale, 0.0)),
            output=ModelOutput(names=(licence, name), strides=(8,)),
        )
        for name, (licence, score, scale) in wanted.items()
    }
    for spec in specs.values():
        add_model(spec, b"weights", folder)
    assert load_manifest(folder) == specs
    for name in specs:
        remove_model(name, folder)
    assert load_manifest(folder) == {}
    assert files_of(folder) == [LOCAL_NAME]


def test_entries_and_comments_of_others_stay(tmp_path: Path) -> None:
    """Somebody's own hand in local.toml is respected, when a model is added, replaced and removed."""
    by_hand = BY_HAND.format("0" * 64)
    (tmp_path / LOCAL_NAME).write_text(by_hand)
    add_model(spec_of("nano"), b"weights", tmp_path)
    assert (tmp_path / LOCAL_NAME).read_text().startswith(by_hand)
    add_model(spec_of("nano", b"better"), b"better", tmp_path, replace=True)
    assert (tmp_path / LOCAL_NAME).read_text().startswith(by_hand)
    remove_model("nano", tmp_path)
    assert (tmp_path / LOCAL_NAME).read_text().strip() == by_hand.strip()
    remove_model("older", tmp_path)
    assert (tmp_path / LOCAL_NAME).read_text() == "# our own models\n"


def test_a_replaced_model_leaves_no_copy_behind(tmp_path: Path) -> None:
    """One name, one file; the same file again is no change."""
    add_model(spec_of("nano"), b"weights", tmp_path)
    add_model(spec_of("nano", b"better"), b"better", tmp_path, replace=True)
    add_model(spec_of("nano", b"better"), b"better", tmp_path, replace=True)
    assert files_of(tmp_path) == [LOCAL_NAME, spec_of("nano", b"better").file]
    assert load_model("nano", tmp_path).onnx_bytes == b"better"


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    """An added one needs --replace; one that ships is never replaced; and nothing is changed."""
    (tmp_path / MANIFEST_NAME).write_text(SHIPPED.format("0" * 64))
    add_model(spec_of("nano"), b"weights", tmp_path)
    before = (tmp_path / LOCAL_NAME).read_text()
    with pytest.raises(ModelRefused, match="--replace"):
        add_model(spec_of("nano", b"better"), b"better", tmp_path)
    with pytest.raises(ModelRefused, match="choose another"):
        add_model(spec_of("footfall"), b"weights", tmp_path, replace=True)
    assert (tmp_path / LOCAL_NAME).read_text() == before
    assert load_model("nano", tmp_path).onnx_bytes == b"weights"


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", "A", "-a", "a" * 41, "a\nb", "*"])
def test_only_safe_names(tmp_path: Path, name: str) -> None:
    """A name becomes a file's name and a table's: nothing that leads out of the folder or of the line."""
    with pytest.raises(ModelRefused, match="a name is"):
        add_model(spec_of(name), b"weights", tmp_path)
    with pytest.raises(ModelRefused, match="a name is"):
        remove_model(name, tmp_path)
    assert files_of(tmp_path) == []


def test_only_what_was_added_can_be_removed(tmp_path: Path) -> None:
    """What ships stays; what is not there is said so, with what is."""
    (tmp_path / MANIFEST_NAME).write_text(SHIPPED.format("0" * 64))
    add_model(spec_of("nano"), b"weights", tmp_path)
    with pytest.raises(ModelRefused, match="ships with Threshold"):
        remove_model("footfall", tmp_path)
    with pytest.raises(ModelRefused, match="known there: nano"):
        remove_model("other", tmp_path)


def test_a_name_in_both_manifests_is_refused(tmp_path: Path) -> None:
    """After an update that ships a model of that name, nobody guesses which is meant."""
    add_model(spec_of("footfall"), b"weights", tmp_path)
    (tmp_path / MANIFEST_NAME).write_text(SHIPPED.format("0" * 64))
    with pytest.raises(ModelRefused, match="both its manifests have a 'footfall'"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["models.older = {}", 'models = { older = { licence = "a" } }', "[models]\nolder = 3\n", "not toml ["]
)
def test_a_local_manifest_that_is_not_understood_is_left_alone(tmp_path: Path, text: str) -> None:
    """Better no new model than a manifest that says something else than before."""
    (tmp_path / LOCAL_NAME).write_text(text)
    with pytest.raises(ModelRefused):
        add_model(spec_of("nano"), b"weights", tmp_path)
    assert (tmp_path / LOCAL_NAME).read_text() == text
    assert files_of(tmp_path) == [LOCAL_NAME]


def test_an_unusual_way_of_writing_is_not_broken(tmp_path: Path) -> None:
    """An entry in one line is kept by adding, and refused by removing, which could not find it."""
    entry = f'file = "o.onnx", sha256 = "{"0" * 64}", task = "t", decoder = "yolox", licence = "MIT"'
    text = f"models.older = {{ {entry}, input = {{ width = 64, height = 64 }} }}\n"
    (tmp_path / LOCAL_NAME).write_text(text)
    with pytest.raises(ModelRefused, match="edit it by hand"):
        remove_model("older", tmp_path)
    assert (tmp_path / LOCAL_NAME).read_text() == text


def test_a_failing_disk_leaves_the_old_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is put in place last and whole: before that moment the old one holds, and no scrap stays."""
    add_model(spec_of("nano"), b"weights", tmp_path)
    before = tomllib.loads((tmp_path / LOCAL_NAME).read_text())
    real, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:  # the model's file, its folder, then the manifest
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(ModelRefused, match="No space left"):
        add_model(spec_of("nano", b"better"), b"better", tmp_path, replace=True)
    assert tomllib.loads((tmp_path / LOCAL_NAME).read_text()) == before
    assert load_model("nano", tmp_path).onnx_bytes == b"weights"
    assert not [name for name in files_of(tmp_path) if "/." in f"/{name}"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file where the folder should be, say."""
    (tmp_path / "models").write_text("")
    with pytest.raises(ModelRefused, match="cannot be written"):
        add_model(spec_of("nano"), b"weights", tmp_path / "models")


def test_two_at_once_lose_nothing(tmp_path: Path, in_parallel: Callable[..., None]) -> None:
    """Adding takes the folder for itself, so that each of many at once finds the others' entries."""
    in_parallel([lambda name=f"nano-{i}": add_model(spec_of(name), b"weights", tmp_path) for i in range(12)])
    assert sorted(load_manifest(tmp_path)) == sorted(f"nano-{i}" for i in range(12))


@pytest.fixture
def in_parallel() -> Callable[..., None]:
    """Runs calls in threads of their own, and raises what any of them raised."""
    from concurrent.futures import ThreadPoolExecutor

    def run(calls: list[Callable[[], None]]) -> None:
        with ThreadPoolExecutor(len(calls)) as pool:
            for done in [pool.submit(call) for call in calls]:
                done.result()

    return run
