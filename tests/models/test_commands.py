from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import Result

from edge.camera.decoders import DECODERS
from edge.commands.models import models
from edge.models import default_models_dir
from edge.settings import CameraSettings, InferenceSettings

Command = Callable[..., tuple[int, str, str]]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_yolox: bytes, tiny_onnx: Callable[..., bytes]) -> Path:
    """A folder with exports, two labelled pictures, and a models folder of its own."""
    shipped = default_models_dir()
    (tmp_path / "models").mkdir()
    for name in ("manifest.toml", "footfall.onnx"):
        shutil.copy(shipped / name, tmp_path / "models")
    monkeypatch.setenv("THRESHOLD_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yolox_nano.onnx").write_bytes(tiny_yolox)
    (tmp_path / "retrained.onnx").write_bytes(tiny_yolox)
    outputs = {
        "labels": np.zeros((1, 1), np.int64),
        "boxes": np.array([[(10, 20, 30, 60)]], np.float32),
        "scores": np.array([[0.8]], np.float32),
    }
    inputs = {"images": (np.float32, ("N", 3, "H", "W")), "orig_target_sizes": (np.int64, ("N", 2))}
    (tmp_path / "dfine.onnx").write_bytes(tiny_onnx(inputs, outputs))
    label_two_pictures(tmp_path)
    return tmp_path


def label_two_pictures(folder: Path) -> None:
    (folder / "pictures").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / "pictures" / name), np.zeros((64, 96, 3), np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "a.png", "view": "high"}, {"id": 2, "file_name": "b.png", "view": "eye"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [16, 8, 16, 32]}],
        "categories": [{"id": 1, "name": "person"}],
    }
    (folder / "people.json").write_text(json.dumps(content))


ADD = ("models", "add", "yolox_nano.onnx", "--name", "nano", "--decoder", "yolox")
EVALUATE = ("models", "evaluate", "footfall", "--images", "pictures", "--annotations", "people.json")


def test_add_list_remove(desk: Path, threshold_command: Command) -> None:
    """An added model is listed beside the shipped one, in words and in JSON, until it is removed."""
    assert threshold_command(*ADD, "--licence", "Apache-2.0")[0] == 0
    _, told, _ = threshold_command("models", "list")
    assert "nano: yolox, 96x64 bgr, person is class 0 at 0.4, licence Apache-2.0" in told
    _, told, _ = threshold_command("models", "list", "--json")
    listed = json.loads(told)
    assert list(listed) == ["footfall", "nano"]
    assert (listed["nano"]["decoder"], listed["nano"]["input"]["width"]) == ("yolox", 96)
    assert threshold_command("models", "remove", "nano")[0] == 0
    assert list(json.loads(threshold_command("models", "list", "--json")[1])) == ["footfall"]
    assert not list((desk / "models").rglob("nano*"))


def test_options_reach_the_manifest(desk: Path, threshold_command: Command) -> None:
    """What is said on the command line is what the entry says."""
    told = "--colour rgb --scale 0.5 --mean 1,2,3 --std 4,5,6 --pad 7 --resize stretch --strides 8,16,32 --input 96x64"
    more = "--person-class 1 --score-threshold 0.25 --iou-threshold 0.6 --raw"
    assert threshold_command(*ADD, *told.split(), *more.split())[0] == 0
    entry = tomllib.loads((desk / "models" / "local.toml").read_text())["models"]["nano"]
    wanted = {"colour": "rgb", "scale": 0.5, "mean": [1, 2, 3], "std": [4, 5, 6], "pad": 7, "resize": "stretch"}
    assert wanted.items() <= entry["input"].items()
    assert {"person_class": 1, "strides": [8, 16, 32], "decoded": False}.items() <= entry["output"].items()
    assert (entry["score_threshold"], entry["iou_threshold"], entry["licence"]) == (0.25, 0.6, "unstated")


def test_another_folder_needs_no_manifest(desk: Path, threshold_command: Command) -> None:
    """`--models DIR` makes a folder of one's own."""
    assert threshold_command(*ADD, "--models", "mine")[0] == 0
    assert list(json.loads(threshold_command("models", "list", "--json", "--models", "mine")[1])) == ["nano"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("models", "add", "absent.onnx", "--name", "x", "--decoder", "yolox"), "does not exist"),
        (("models", "add", "yolox_nano.onnx", "--name", "../x", "--decoder", "yolox"), "use 1 to 40 of a-z"),
        (("models", "add", "yolox_nano.onnx", "--name", "x", "--decoder", "magic"), "is not one of"),
        (("models", "add", "yolox_nano.onnx", "--name", "footfall", "--decoder", "yolox"), "ships with Threshold"),
        ((*ADD, "--input", "big"), "WIDTHxHEIGHT"),
        ((*ADD, "--mean", "1,2"), "three numbers"),
        ((*ADD, "--std", "a,b,c"), "three numbers"),
        ((*ADD, "--strides", "8;16"), "whole numbers"),
        ((*ADD, "--licence", "two\nlines"), "one line"),
        ((*ADD, "--score-threshold", "2"), "0<=x<=1"),
        (("models", "remove", "footfall"), "ships with Threshold"),
        (("models", "remove", "nano"), "nobody added one"),
        ((*EVALUATE, "--model", "magic"), "known there: footfall"),
        ((*EVALUATE[:-2], "--annotations", "absent.json"), "does not exist"),
        ((*EVALUATE[:-2], "--annotations", "yolox_nano.onnx"), "not a COCO detection file"),
        ((*EVALUATE[:-4], "--images", "models", "--annotations", "people.json"), "2 of 2 are not there"),
        (EVALUATE[:3], "Missing option"),
    ],
)
def test_bad_use_is_one_line_and_exit_2(
    desk: Path, threshold_command: Command, arguments: tuple[str, ...], why: str
) -> None:
    """One line on standard error that says what is wrong, and nothing is changed."""
    status, told, error = threshold_command(*arguments)
    assert (status, told) == (2, "")
    assert why in error
    assert error.count("\n") == 1
    assert not (desk / "models" / "local.toml").exists()


@pytest.mark.parametrize("decoder", ["query", "nanodet", "fastestdet"])
def test_another_familys_export_is_refused_in_one_line(desk: Path, threshold_command: Command, decoder: str) -> None:
    """A YOLOX file under another family's name is not added."""
    status, _, error = threshold_command(*ADD[:-1], decoder)
    assert status == 1
    assert error.startswith("threshold: add model: nano; ")
    assert error.count("\n") == 1
    assert not (desk / "models" / "local.toml").exists()


def test_evaluate_reports_the_contract(desk: Path, threshold_command: Command) -> None:
    """The one person is found, and in the other picture a person is seen who is not there."""
    threshold_command(*ADD)
    status, told, _ = threshold_command(*EVALUATE, "--model", "nano", "--json", "--by", "view")
    assert status == 0
    report = json.loads(told)
    assert {"ap50", "ap", "recall", "precision", "ms", "n"} <= report.keys()
    assert (report["recall"], report["precision"], report["n"], report["people"]) == (1.0, 0.5, 2, 1)
    assert report["ms"] > 0
    assert report["by"]["high"]["ap50"] == 1.0
    assert (report["by"]["eye"]["ap50"], report["by"]["eye"]["precision"]) == (None, 0.0)


def test_evaluate_by_size_and_in_words(desk: Path, threshold_command: Command) -> None:
    """A person of half the picture's height is a large one; a table shows it."""
    threshold_command(*ADD)
    report = json.loads(threshold_command(*EVALUATE, "--model", "nano", "--json", "--by", "size")[1])
    assert {name: figures["people"] for name, figures in report["by"].items()} == {"small": 0, "middle": 0, "large": 1}
    status, told, _ = threshold_command(*EVALUATE, "--model", "nano", "--by", "size")
    assert status == 0
    assert "AP50" in told
    assert "ms a picture on one thread" in told


def test_the_yardstick_measures_as_its_provenance_says(
    tmp_path: Path, threshold_command: Command, footfall_data: Path
) -> None:
    """Added by the command and measured by the other, it reaches its published AP50 (0.685, counted down to a higher score)."""
    onnx = footfall_data / "yardstick" / "yolox_nano.onnx"
    val = footfall_data / "licensed" / "val"
    where = ("--models", tmp_path)
    assert threshold_command("models", "add", onnx, "--name", "yardstick", "--decoder", "yolox", *where)[0] == 0
    labels = ("--images", val / "images", "--annotations", val / "annotations.json")
    told = threshold_command("models", "evaluate", "footfall", *labels, "--model", "yardstick", "--json", *where)[1]
    report = json.loads(told)
    assert report["ap50"] == pytest.approx(0.69, abs=0.02)
    assert (report["n"], report["people"]) == (140, 350)


# -- Help and guide


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in group.commands.items():
        found += commands(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(models, "models"), ids=" ".join)
def test_every_command_shows_an_example(path: tuple[str, ...], help_of: Callable[..., Result]) -> None:
    """`--help` ends with a line one can copy."""
    shown = help_of(*path)
    assert shown.exit_code == 0
    assert re.search(rf"Example:\n +threshold {' '.join(path)}", shown.output)


def test_the_guides_commands_run(desk: Path, threshold_command: Command) -> None:
    """Every line of docs/models.md that is a command runs, in its order, on files of those names."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 8
    for line in lines:
        program, *arguments = shlex.split(line)
        status, _, error = threshold_command(*arguments)
        assert (program, status, line) == ("threshold", 0, line), error


def test_the_guides_settings_are_settings() -> None:
    """Its TOML is what store.toml takes."""
    blocks = re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    camera, inference = (tomllib.loads(block) for block in blocks)
    assert CameraSettings.model_validate(camera["cameras"][0]).model == "nano"
    assert "cuda" in InferenceSettings.model_validate(inference["inference"]).providers


def test_the_guide_and_the_command_know_every_decoder(help_of: Callable[..., Result]) -> None:
    """Neither forgets a family."""
    guide, shown = GUIDE.read_text("utf-8"), help_of("models", "add").output
    for decoder in DECODERS:
        assert f"| `{decoder}` |" in guide
        assert decoder in shown
