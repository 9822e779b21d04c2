from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.camera.coco import AnnotationsRefused
from models.train import evaluate_footfall
from models.train.evaluate_footfall import (
    coco_pictures,
    door_pictures,
    markdown,
    matched,
    simulated_pictures,
    whole_curve,
)

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def always(tmp_path: Path, tiny_yolox: bytes, threshold_command: Command) -> Path:
    """A models folder whose `always` sees one person in every picture: columns 16 to 32, rows 8 to 40."""
    (tmp_path / "always.onnx").write_bytes(tiny_yolox)
    folder = tmp_path / "models"
    added = ("models", "add", tmp_path / "always.onnx", "--name", "always", "--decoder", "yolox", "--models", folder)
    assert threshold_command(*added)[0] == 0
    return folder


def rows_of(table: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return {name: cells for name, *cells in lines if name and set(name) != {"-"}}


def test_pictures_come_with_their_truth(shop: Path) -> None:
    """All of a folder, or those of some scenes."""
    assert len(list(coco_pictures(shop))) == 6
    wall = list(coco_pictures(shop, scenes=["wall", "door"]))
    assert [one.truth.file_name for one in wall] == ["1.png", "2.png", "5.png"]
    assert wall[1].truth.people_xyxy.tolist() == [[16, 8, 32, 40], [60, 10, 80, 58]]
    assert all(one.image_bgr.shape == (64, 96, 3) for one in wall)


def test_simulated_pictures_are_their_own_and_repeatable() -> None:
    """The same seed draws the same, training's seed 1 is not met, and nobody stands outside the picture."""
    one, other = (list(simulated_pictures(2, seed=4)) for _ in range(2))
    assert all(np.array_equal(a.image_bgr, b.image_bgr) for a, b in zip(one, other, strict=True))
    for shown in [*one, *door_pictures(2, seed=4)]:
        assert shown.image_bgr.shape == (480, 640, 3)
        assert ((shown.truth.people_xyxy >= 0) & (shown.truth.people_xyxy <= (640, 480, 640, 480))).all()
    assert [set(shown.truth.groups.values()) for shown in one] == [{"simulated"}] * 2
    assert next(door_pictures(1, seed=4)).truth.ignore_xyxy.tolist() == [[0, 0, 640, 40], [0, 440, 640, 480]]


def test_groups_are_views_and_scenes(shop: Path, always: Path) -> None:
    """Each picture counts once for all, once for its view, once for its scene."""
    groups = matched(whole_curve("always", always), coco_pictures(shop))
    assert {name: len(matches) for name, matches in groups.items()} == {
        "all": 6,
        "view high": 2,
        "view overhead": 1,
        "view eye": 2,
        "scene wall": 2,
        "scene roof": 1,
        "scene aisle": 1,
        "scene door": 1,
        "scene shelves": 1,
    }
    assert [one.correct.tolist() for one in groups["scene wall"]] == [[True], [True]]
    assert groups["scene roof"][0].scores.size == 0, "a box in a region to ignore is not judged"


def test_the_script_and_the_command_say_the_same(
    shop: Path, always: Path, threshold_command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the same model and pictures: one matching, one AP."""
    pictures = ("--images", shop / "images", "--annotations", shop / "annotations.json", "--models", always)
    _, told, _ = threshold_command(
        "models", "evaluate", "footfall", *pictures, "--model", "always", "--by", "scene", "--json"
    )
    report = json.loads(told)
    evaluate_footfall.main(["--model", "always", "--models", str(always), "--images-root", str(shop)])
    rows = rows_of(capsys.readouterr().out)
    names = {"all": report, **{f"scene {name}": figures for name, figures in report["by"].items()}}
    for name, figures in names.items():
        shown = [f"{figures[key]:.3f}" if figures[key] is not None else "-" for key in ("ap50", "precision", "recall")]
        assert rows[name][:5] == [str(figures["n"]), str(figures["people"]), *shown]


def test_scenes_and_drawn_pictures_can_be_chosen(shop: Path, always: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is drawn stands beside the labelled pictures and not among them; the threshold is the one given."""
    told = ["--model", "always", "--models", str(always), "--images-root", str(shop), "--scene", "aisle"]
    evaluate_footfall.main([*told, "--simulated", "1", "--door", "1", "--threshold", "0.95"])
    out = capsys.readouterr().out
    rows = rows_of(out.split("\n", 1)[1])
    assert list(rows) == ["all", "scene simulated", "scene door", "view eye", "scene aisle"]
    assert rows["all"][:5] == ["1", "1", "1.000", "-", "0.000"], "its boxes score 0.9"
    assert rows["all"][5:] == ["1.000", "0.900"], "the best F1, and the threshold to choose for it"
    assert "recall at 0.95" in out


def test_what_is_wrong_is_said_in_one_line(shop: Path, always: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that is not there, a picture that is not there."""
    with pytest.raises(SystemExit):
        evaluate_footfall.main(["--model", "nobody", "--models", str(always), "--images-root", str(shop)])
    assert "not in the manifest; known there: always" in capsys.readouterr().err
    (shop / "images" / "2.png").unlink()
    with pytest.raises(AnnotationsRefused, match=r"2\.png"):
        list(coco_pictures(shop))


def test_a_table_is_markdown() -> None:
    """Fractions to three digits, a dash for what is not known."""
    assert markdown(("a", "b"), [("x", 0.12345), (3, None)]) == "| a | b |\n| --- | --- |\n| x | 0.123 |\n| 3 | - |"
