"""Train without some scenes, measure on just those, and so on in turn: how good the detector is where it has never been.

From the repository's root: `python -m models.train.crossvalidate_footfall --epochs 30`. Needs PyTorch. Stopped, the same
command goes on where it was; folds that are trained are not trained again.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from edge.camera.coco import read_annotations
from edge.camera.detector import Detector
from edge.camera.evaluate import IOUS, LEAST_SCORE, average_precision, match
from edge.errors import ThresholdError
from edge.models import LoadedModel
from models.train.evaluate_footfall import coco_pictures, markdown, whole_curve
from models.train.register_footfall import FILE, described

if TYPE_CHECKING:
    from edge.camera.coco import LabelledPicture
    from edge.camera.evaluate import Match

__all__ = ["CHECKPOINT", "Fold", "Held", "Train", "crossvalidate", "folds_by_view", "main", "rows", "trained"]

CHECKPOINT = "footfall.pt"
_PLAN = "plan.json"
_DONE = "trained"
_AT_MOST = 3
_EYE = "eye"
_NEVER = ("roots", "held_out", "start")
"""Of the plan, what no `--set` may say: weights to start from may have seen the scenes held out."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Scenes that one training leaves out."""

    scenes: tuple[str, ...]

    @property
    def name(self) -> str:
        """A folder's name."""
        return re.sub(r"[^\w+.-]", "_", "+".join(self.scenes))[:120]


@dataclass(frozen=True, slots=True)
class Held:
    """A scene held out: the matches of the fold's model, and of the other one, picture by picture."""

    view: str
    scene: str
    ours: list[Match] = field(default_factory=list)
    beside: list[Match] = field(default_factory=list)


Train = Callable[[Fold, Path], None]
"""Trains a fold in its folder, from the `CHECKPOINT` there if there is one, and leaves the model as `FILE`."""


def folds_by_view(pictures: Sequence[LabelledPicture]) -> tuple[Fold, ...]:
    """Scenes dealt by name into at most three folds a view; of eye level, which is the easy and crowded one, the first alone.

    Pictures that state no view are held out by no fold.
    """
    scenes: dict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        if {"view", "scene"} <= picture.groups.keys():
            scenes[picture.groups["view"]].add(picture.groups["scene"])
    dealt = {view: [sorted(names)[first::_AT_MOST] for first in range(_AT_MOST)] for view, names in scenes.items()}
    wanted = {view: folds[:1] if view == _EYE else folds for view, folds in sorted(dealt.items())}
    return tuple(Fold(tuple(names)) for folds in wanted.values() for names in folds if names)


def crossvalidate(
    folds: Sequence[Fold],
    roots: Sequence[Path],
    *,
    folder: Path,
    plan: Mapping[str, object],
    train: Train,
    beside: Detector | None = None,
) -> Iterator[Held]:
    """Train each fold in `folder` unless that is done, and yield its scenes as they are measured.

    `plan` is what the trainings depend on: a fold begun by another plan is not gone on with.

    Raises:
        ThresholdError: a fold of another plan lies there, a fold holds no picture, or a picture cannot be read.
    """
    known = {picture.groups.get("scene") for root in roots for picture in read_annotations(root / "annotations.json")}
    for scene in (scene for fold in folds for scene in fold.scenes):
        if scene not in known:
            raise ThresholdError("cross-validate", f"scene {scene}", "no picture of --images-root is of it")
    for fold in folds:
        onnx_bytes = trained(fold, folder / fold.name, plan=plan, train=train).read_bytes()
        ours = Detector(LoadedModel(described(onnx_bytes), onnx_bytes), score_threshold=LEAST_SCORE)
        yield from _held(fold, roots, ours, beside)


def trained(fold: Fold, home: Path, *, plan: Mapping[str, object], train: Train) -> Path:
    """The fold's model in the folder `home`, trained to its end, now or earlier.

    Raises:
        ThresholdError: `home` holds a fold of another plan.
    """
    home.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**plan, "held_out": fold.scenes}, indent=1)
    begun = home / _PLAN
    if begun.exists() and begun.read_text("utf-8") != text:
        raise ThresholdError("cross-validate", str(home), "it was begun by another plan; name another --out")
    begun.write_text(text, "utf-8")
    if not (home / _DONE).exists():
        train(fold, home)
        (home / _DONE).touch()
    return home / FILE


def _held(fold: Fold, roots: Sequence[Path], ours: Detector, beside: Detector | None) -> Iterator[Held]:
    held: dict[tuple[str, str], Held] = {}
    for root in roots:
        for shown in coco_pictures(root, scenes=fold.scenes):
            key = shown.truth.groups.get("view", "unstated"), shown.truth.groups["scene"]
            scene = held.setdefault(key, Held(*key))
            scene.ours.append(match(ours.detect(shown.image_bgr), shown.truth, iou=IOUS[0]))
            if beside is not None:
                scene.beside.append(match(beside.detect(shown.image_bgr), shown.truth, iou=IOUS[0]))
    yield from held.values()


def rows(held: Sequence[Held]) -> list[tuple[object, ...]]:
    """View, scene, pictures, people, AP50 ours, AP50 beside: of each scene, and of all scenes of a view with several."""
    table: list[tuple[object, ...]] = []
    for view in sorted({one.view for one in held}):
        scenes = sorted((one for one in held if one.view == view), key=lambda one: one.scene)
        table += [_row(one) for one in scenes]
        if len(scenes) > 1:
            ours = [one for scene in scenes for one in scene.ours]
            table.append(_row(Held(view, "all", ours, [one for scene in scenes for one in scene.beside])))
    return table


def _row(held: Held) -> tuple[object, ...]:
    people = sum(one.people for one in held.ours)
    beside = average_precision(held.beside) if held.beside else None
    return held.view, held.scene, len(held.ours), people, average_precision(held.ours), beside


def _set(word: str) -> tuple[str, object]:
    """`key=value`, the value as Python writes it, else as text."""
    key, told, value = word.partition("=")
    if not told or key in _NEVER:
        message = f"write it as KEY=VALUE, none of {', '.join(_NEVER)}"
        raise argparse.ArgumentTypeError(message)
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def _training(given: argparse.Namespace) -> tuple[Mapping[str, object], Train]:
    """What the trainings depend on, and the trainer.

    Raises:
        ThresholdError: `--set` names what the plan does not have.
    """
    from models.train.footfall import Plan, train  # noqa: PLC0415  PyTorch: the rest of this module does without

    unknown = set(dict(given.set)) - {one.name for one in fields(Plan)}
    if unknown:
        raise ThresholdError("cross-validate", f"--set {min(unknown)}", "the training plan has no such field")
    plan = Plan(roots=tuple(str(root) for root in given.images_root), seed=given.seed, epochs=given.epochs)
    plan = replace(plan, **dict(given.set))
    files = [root / "annotations.json" for root in given.images_root] + [Path(one) for one in (plan.taught,) if one]
    labels = {str(path): sha256(path.read_bytes()).hexdigest() for path in files}

    def train_fold(fold: Fold, home: Path) -> None:
        checkpoint = home / CHECKPOINT
        mine = replace(plan, held_out=fold.scenes)
        train(mine, out=home / FILE, checkpoint=checkpoint, resume=checkpoint.exists(), export_every_s=300)

    return {**asdict(plan), "labels": labels}, train_fold


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images-root", action="append", type=Path, help="COCO folder; may be repeated")
    parser.add_argument("--fold", action="append", help="scenes to hold out together, A,B,…; may be repeated")
    parser.add_argument("--epochs", type=float, required=True, help="of each fold's training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", action="append", type=_set, default=[], metavar="KEY=VALUE", help="of the training plan"
    )
    parser.add_argument("--beside", help="a model of --beside-models to measure on the same pictures")
    parser.add_argument("--beside-models", type=Path, default=Path("models"), help="its folder")
    parser.add_argument("--out", type=Path, default=Path(".train/folds"), help="where the folds' models go")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train and measure fold after fold, print one table."""
    from models.train.footfall_data import ROOTS  # noqa: PLC0415  as above

    parser = _parser()
    given = parser.parse_args(arguments)
    given.images_root = given.images_root or list(ROOTS)
    try:
        labelled = [picture for root in given.images_root for picture in read_annotations(root / "annotations.json")]
        folds = tuple(Fold(tuple(word.split(","))) for word in given.fold or ()) or folds_by_view(labelled)
        beside = whole_curve(given.beside, given.beside_models) if given.beside else None
        plan, train = _training(given)
        held = crossvalidate(folds, given.images_root, folder=given.out, plan=plan, train=train, beside=beside)
        table = rows(list(held))
    except (OSError, ThresholdError) as error:
        parser.error(str(error))
    print(markdown(("view", "scene", "pictures", "people", "AP50 ours", f"AP50 {given.beside or 'beside'}"), table))


if __name__ == "__main__":
    main()
