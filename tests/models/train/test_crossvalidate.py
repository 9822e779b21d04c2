from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.coco import LabelledPicture
from edge.camera.detector import Detector
from edge.errors import ThresholdError
from models.train.crossvalidate_footfall import CHECKPOINT, Fold, Train, crossvalidate, folds_by_view, rows
from models.train.evaluate_footfall import whole_curve
from models.train.register_footfall import described, register

NOBODY = np.zeros((0, 4))
WALL, ROOF = Fold(("wall",)), Fold(("roof", "aisle"))
PLAN = {"epochs": 2, "seed": 1}


def picture(view: str | None, scene: str | None) -> LabelledPicture:
    groups = {"view": view, "scene": scene}
    return LabelledPicture("one.jpg", NOBODY, NOBODY, {key: value for key, value in groups.items() if value})


@pytest.fixture
def log() -> list[str]:
    """The folds that were trained, as it happened."""
    return []


@pytest.fixture
def trainer(tiny_yolox: bytes, log: list[str]) -> Train:
    """Takes no time: every model sees one person, columns 16 to 32 and rows 8 to 40 of 96 x 64."""

    def train(fold: Fold, home: Path) -> None:
        log.append(fold.name + (" goes on" if (home / CHECKPOINT).exists() else ""))
        (home / CHECKPOINT).write_text("weights")
        (home / "footfall.onnx").write_bytes(tiny_yolox)

    return train


# -- Folds


def test_folds_follow_the_views() -> None:
    """Each scene from above is held out once, in up to three folds a view; of eye level a third of the scenes, in one."""
    pictures = [
        *[picture("high", f"h{n}") for n in range(5) for _ in range(3)],
        picture("overhead", "o"),
        *[picture("eye", f"e{n}") for n in range(7)],
        picture(None, "street"),
        picture("eye", None),
    ]
    assert folds_by_view(pictures) == (
        Fold(("e0", "e3", "e6")),
        Fold(("h0", "h3")),
        Fold(("h1", "h4")),
        Fold(("h2",)),
        Fold(("o",)),
    )
    assert folds_by_view([]) == ()


words = st.text("abcdef", min_size=1, max_size=2)


@given(st.lists(st.tuples(st.sampled_from(["high", "overhead", "eye"]), words)))
def test_no_scene_is_held_out_twice(them: list[tuple[str, str]]) -> None:
    """And every scene seen from above is held out, whatever the order of the pictures."""
    pictures = [picture(view, f"{view}-{scene}") for view, scene in them]
    held = [scene for fold in folds_by_view(pictures) for scene in fold.scenes]
    assert len(held) == len(set(held))
    assert {scene for view, scene in them if view != "eye"} <= {name.partition("-")[2] for name in held}
    assert folds_by_view(pictures[::-1]) == folds_by_view(pictures)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_folds_name_is_a_folders_name(scenes: list[str]) -> None:
    """Scenes are called as their annotations please."""
    name = Fold(tuple(scenes)).name
    assert "/" not in name
    assert "\0" not in name
    assert 0 < len(name) <= 120


# -- Training and measuring


@pytest.fixture
def blind(tmp_path: Path, tiny_onnx: Callable[..., bytes]) -> Detector:
    """A model that sees nobody."""
    folder = tmp_path / "other"
    folder.mkdir()
    seen = tiny_onnx({"images": (np.float32, (1, 3, 64, 96))}, {"output": np.zeros((1, 126, 6), np.float32)})
    (folder / "footfall.onnx").write_bytes(seen)
    register(described(seen), folder)
    return whole_curve("footfall", folder)


def test_each_fold_is_measured_on_its_own_scenes(
    shop: Path, tmp_path: Path, trainer: Train, log: list[str], blind: Detector
) -> None:
    """By view and scene, with a second model on the same pictures, and a view's scenes together."""
    folds = (WALL, ROOF, Fold(("door",)))
    held = list(crossvalidate(folds, [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer, beside=blind))
    assert log == ["wall", "roof+aisle", "door"]
    half = pytest.approx(51 / 101)  # one of two people: 51 of 101 recalls
    assert rows(held) == [
        ("eye", "aisle", 1, 1, 1.0, 0.0),
        ("eye", "door", 1, 2, half, 0.0),
        ("eye", "all", 2, 3, pytest.approx(67 / 101), 0.0),
        ("high", "wall", 2, 3, pytest.approx(67 / 101), 0.0),
        ("overhead", "roof", 1, 1, 0.0, 0.0),
    ]
    assert json.loads((tmp_path / "folds" / "wall" / "plan.json").read_text()) == {**PLAN, "held_out": ["wall"]}


def test_without_a_second_model_its_column_is_unknown(shop: Path, tmp_path: Path, trainer: Train) -> None:
    """The table keeps its shape."""
    held = list(crossvalidate([WALL], [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer))
    assert rows(held) == [("high", "wall", 2, 3, pytest.approx(67 / 101), None)]


def test_several_folders_are_one_set(shop: Path, tmp_path: Path, coco_of: Callable[..., Path], trainer: Train) -> None:
    """A scene may lie in more than one."""
    more = coco_of(tmp_path / "more", [("9.png", {"view": "high", "scene": "wall"}, [(16, 8, 32, 40)], [])])
    held = list(crossvalidate([WALL], [shop, more], folder=tmp_path / "folds", plan=PLAN, train=trainer))
    assert [row[:4] for row in rows(held)] == [("high", "wall", 3, 4)]


# -- Going on


def test_what_is_trained_is_not_trained_again(shop: Path, tmp_path: Path, trainer: Train, log: list[str]) -> None:
    """The same command measures again, alike."""
    tables = [
        rows(list(crossvalidate((WALL, ROOF), [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer)))
        for _ in range(2)
    ]
    assert log == ["wall", "roof+aisle"]
    assert tables[0] == tables[1]


def test_a_fold_that_was_stopped_goes_on(shop: Path, tmp_path: Path, trainer: Train, log: list[str]) -> None:
    """From its checkpoint, after those that were done; the next ones were not begun."""

    def stopped(fold: Fold, home: Path) -> None:
        trainer(fold, home)
        if fold is ROOF:
            raise KeyboardInterrupt

    folds = (WALL, ROOF, Fold(("door",)))
    with pytest.raises(KeyboardInterrupt):
        list(crossvalidate(folds, [shop], folder=tmp_path / "folds", plan=PLAN, train=stopped))
    assert log == ["wall", "roof+aisle"]
    list(crossvalidate(folds, [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer))
    assert log == ["wall", "roof+aisle", "roof+aisle goes on", "door"]


def test_another_plan_needs_another_folder(shop: Path, tmp_path: Path, trainer: Train, log: list[str]) -> None:
    """Figures of two recipes are never mixed in one table."""
    list(crossvalidate([WALL], [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer))
    with pytest.raises(ThresholdError, match="begun by another plan; name another --out"):
        list(crossvalidate([WALL], [shop], folder=tmp_path / "folds", plan={**PLAN, "epochs": 3}, train=trainer))
    assert log == ["wall"]


def test_an_unknown_scene_is_named_before_any_training(
    shop: Path, tmp_path: Path, trainer: Train, log: list[str]
) -> None:
    """A slip of the pen would else hold out nothing and measure nothing."""
    with pytest.raises(ThresholdError, match="scene walls; no picture"):
        list(crossvalidate((WALL, Fold(("walls",))), [shop], folder=tmp_path / "folds", plan=PLAN, train=trainer))
    assert log == []
