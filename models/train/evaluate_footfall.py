"""Measure a people detector on what `threshold models evaluate footfall` does not take: some scenes only, simulated ones.

It also says which score threshold would be best, so that one can be chosen on scenes kept out of training. Matching and
AP are those of `edge.camera.evaluate`. From the repository's root, without PyTorch:
`python -m models.train.evaluate_footfall --images-root ../shared/data/footfall/licensed/train --scene goods --simulated 200`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.camera.coco import LabelledPicture, read_annotations, read_picture
from edge.camera.detector import Detector
from edge.camera.evaluate import IOUS, LEAST_SCORE, average_precision, best_threshold, match, precision_recall
from edge.errors import ThresholdError
from edge.models import default_models_dir, load_model
from edge.simulate.scene import DoorScene, training_picture

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.camera.evaluate import Match

__all__ = [
    "Shown",
    "coco_pictures",
    "door_pictures",
    "main",
    "markdown",
    "matched",
    "simulated_pictures",
    "whole_curve",
]

_DOOR_WH = (640, 480)
_DOOR_EDGE_PX = 40  # people half out of the picture are not judged


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, BGR, with who is in it."""

    image_bgr: NDArray[np.uint8]
    truth: LabelledPicture


def coco_pictures(root: Path, *, scenes: Collection[str] = ()) -> Iterator[Shown]:
    """The pictures of a COCO folder (`annotations.json`, `images/`), or those of some of its scenes.

    Raises:
        AnnotationsRefused: the annotations or a picture cannot be read.
    """
    for truth in read_annotations(root / "annotations.json"):
        if not scenes or truth.groups.get("scene") in scenes:
            yield Shown(read_picture(root / "images", truth.file_name), truth)


def simulated_pictures(count: int, *, seed: int) -> Iterator[Shown]:
    """Random simulated scenes; training draws its own from other numbers, whatever the seed."""
    for index in range(count):
        frame = training_picture(np.random.default_rng([seed, 11, index]), width=640, height=480)
        yield Shown(frame.image_bgr, _truth(frame.boxes_xyxy, np.zeros((0, 4)), scene="simulated"))


def door_pictures(count: int, *, seed: int) -> Iterator[Shown]:
    """Moments of the simulated shop door, 0.6 s apart."""
    width, height = _DOOR_WH
    edges = np.array([(0, 0, width, _DOOR_EDGE_PX), (0, height - _DOOR_EDGE_PX, width, height)], np.float64)
    door = DoorScene(seed=seed, width=width, height=height)
    for index in range(count):
        frame = door.frame(10.0 + index * 0.6)
        yield Shown(frame.image_bgr, _truth(frame.boxes_xyxy, edges, scene="door"))


def _truth(people_xyxy: NDArray[np.float32], ignore_xyxy: NDArray[np.float64], *, scene: str) -> LabelledPicture:
    return LabelledPicture(scene, people_xyxy.astype(np.float64), ignore_xyxy, {"scene": scene})


def whole_curve(name: str, folder: Path) -> Detector:
    """A model of a folder's manifest that gives every box its precision-recall curve needs.

    Raises:
        ModelRefused: there is no such model, or it is not what the manifest says.
    """
    return Detector(load_model(name, folder), score_threshold=LEAST_SCORE)


def matched(detector: Detector, pictures: Iterable[Shown]) -> dict[str, list[Match]]:
    """Matches at an overlap of 0.5: of all pictures, and of each view and scene."""
    groups: dict[str, list[Match]] = {"all": []}
    for shown in pictures:
        one = match(detector.detect(shown.image_bgr), shown.truth, iou=IOUS[0])
        for group in ("all", *(f"{key} {value}" for key, value in shown.truth.groups.items())):
            groups.setdefault(group, []).append(one)
    return groups


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as a model's card takes it; None becomes a dash, a fraction three digits."""
    lines = [header, ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(groups: Mapping[str, Sequence[Match]], threshold: float) -> str:
    at = f"at {threshold:.2f}"
    header = ("", "pictures", "people", "AP50", f"precision {at}", f"recall {at}", "best F1", "at")
    return markdown(header, (_row(group, matches, threshold) for group, matches in groups.items() if matches))


def _row(group: str, matches: Sequence[Match], threshold: float) -> tuple[object, ...]:
    precision, recall = precision_recall(matches, threshold=threshold)
    best, f1 = best_threshold(matches) or (None, None)
    people = sum(one.people for one in matches)
    return group, len(matches), people, average_precision(matches), precision, recall, f1, best


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="footfall", help="a model of the manifest")
    parser.add_argument("--models", type=Path, help="another folder of models")
    parser.add_argument("--images-root", action="append", type=Path, default=[], help="COCO folder; may be repeated")
    parser.add_argument("--scene", action="append", default=[], help="only this scene of theirs; may be repeated")
    parser.add_argument("--simulated", type=int, default=0, help="also so many random simulated scenes")
    parser.add_argument("--door", type=int, default=0, help="also so many pictures of the simulated door")
    parser.add_argument("--seed", type=int, default=1001, help="of the simulated scenes")
    parser.add_argument("--threshold", type=float, help="instead of the model's own score threshold")
    given = parser.parse_args(arguments)
    try:
        detector = whole_curve(given.model, given.models or default_models_dir())
        labelled = chain.from_iterable(coco_pictures(root, scenes=given.scene) for root in given.images_root)
        drawn = chain(simulated_pictures(given.simulated, seed=given.seed), door_pictures(given.door, seed=given.seed))
        groups = {**matched(detector, drawn), **matched(detector, labelled)}  # "all" is never drawn ones
    except ThresholdError as error:
        parser.error(str(error))
    print(_table(groups, detector.spec.score_threshold if given.threshold is None else given.threshold))


if __name__ == "__main__":
    main()
