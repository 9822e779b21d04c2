"""Pictures for training the person detector: COCO folders, simulated scenes, augmentation.

Every training picture is a pure function of (seed, step, place in the batch), so a run can stop,
resume, and use any number of loader processes without changing what the network sees.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge.simulate.scene import training_picture
from models.train.footfall_augment import colour_and_damage, erase, place
from models.train.footfall_cutouts import Cutouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ROOTS", "Picture", "Sample", "TrainingPictures", "load_coco", "simulated_pictures"]

_DATA = Path("../shared/data/footfall")
ROOTS = (_DATA / "licensed/train", _DATA / "diverse/train")
"""The COCO folders that the shipped model is trained on."""

_SURE_OF_MORE = 0.6  # a person nobody labelled, in a picture that people labelled
_SURE = 0.4  # a person in a picture that only the teacher labelled
_UNSURE = 0.15
_SAME = 0.4
_PASTED = 0.15  # share of pictures with people that get more of them
_PASTED_EMPTY = 0.5  # and of those without

_PORTRAIT = 0.5  # of the picture: a person this large is no shop camera's
_PORTRAIT_WEIGHT = 0.4
_EMPTY_WEIGHT = 0.35  # pictures without people teach little each; a third of the others' share


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One labelled picture: BGR pixels, people and regions to ignore as (n, 4) xyxy pixels.

    `scores` (n,) say how sure the label of each person is: 1 for people's own.
    """

    image_bgr: NDArray[np.uint8]
    people_xyxy: NDArray[np.float32]
    ignore_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    name: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One augmented picture at the network's size; fields as in `Picture`."""

    image_bgr: NDArray[np.uint8]
    people_xyxy: NDArray[np.float32]
    ignore_xyxy: NDArray[np.float32]


def load_coco(folder: Path, taught: Mapping[str, Sequence[Sequence[float]]] | None = None) -> list[Picture]:
    """Read a COCO folder (`annotations.json`, `images/`) into memory; `iscrowd` boxes are ignored.

    `taught` is what `footfall_teach` found in each picture: it fills in whom labels left out, and replaces labels that
    one look of a teacher made.

    Raises:
        FileNotFoundError: a picture is missing or unreadable.
    """
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    labels: dict[int, list[dict[str, Any]]] = {}
    for annotation in content["annotations"]:
        labels.setdefault(annotation["image_id"], []).append(annotation)
    pictures: list[Picture] = []
    for entry in content["images"]:
        image = cv2.imread(str(folder / "images" / entry["file_name"]), cv2.IMREAD_COLOR)
        if image is None:
            msg = f"cannot read picture {entry['file_name']} of {folder}"
            raise FileNotFoundError(msg)
        people, ignore, scores = _labels(labels.get(entry["id"], []), (taught or {}).get(entry["file_name"], ()))
        pictures.append(
            Picture(
                image_bgr=np.asarray(image, np.uint8),
                people_xyxy=people,
                ignore_xyxy=ignore,
                scores=scores,
                name=entry["file_name"],
                group=str(entry.get("scene", "")),
            )
        )
    return pictures


def _labels(
    annotations: Sequence[Mapping[str, Any]], taught: Sequence[Sequence[float]]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """People, regions to ignore, and how sure each person is, of one picture."""
    people = [a for a in annotations if not a.get("iscrowd")]
    ignore = [a for a in annotations if a.get("iscrowd")]
    by_teacher = any(a.get("source") == "teacher" for a in people)
    found = np.asarray(list(taught), np.float32).reshape(-1, 5)
    if by_teacher and len(found):
        crowds = [a for a in ignore if "crowd" in str(a.get("source", ""))]
        sure = found[:, 4] >= _SURE
        # What one look believed and ten looks do not is left open, like what they half believe.
        doubted = _not_among(_xyxy(people), found[sure, :4])
        half = found[(found[:, 4] >= _UNSURE) & ~sure, :4]
        return found[sure, :4], np.concatenate((_xyxy(crowds), half, doubted)), found[sure, 4]
    boxes = _xyxy(people)
    if not len(boxes):  # looked at by eye: nobody, or only regions to ignore
        return boxes, _xyxy(ignore), np.ones(0, np.float32)
    more = found[_is_none_of(found[:, :4], boxes)]
    sure = more[:, 4] >= _SURE_OF_MORE
    half = more[(more[:, 4] >= _UNSURE) & ~sure, :4]
    scores = np.concatenate((np.ones(len(boxes), np.float32), more[sure, 4]))
    return np.concatenate((boxes, more[sure, :4])), np.concatenate((_xyxy(ignore), half)), scores


def _xyxy(annotations: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    corners = [a["bbox"] for a in annotations]
    return _boxes([x, y, x + wide, y + high] for x, y, wide, high in corners)


def _is_none_of(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    low, high = np.maximum(boxes[:, None, :2], others[None, :, :2]), np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)[:, None] + (others[:, 2:] - others[:, :2]).prod(1)[None]
    return np.asarray((shared / np.maximum(areas - shared, 1e-6)).max(1, initial=0.0) < _SAME)


def _not_among(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    return boxes[_is_none_of(boxes, others)]


def simulated_pictures(count: int, *, seed: int) -> list[Picture]:
    """Render `count` random shop scenes with known boxes, in sizes between 416 and 640 wide."""
    pictures: list[Picture] = []
    for index in range(count):
        rng = np.random.default_rng([seed, 7, index])
        width = int(rng.integers(416, 641))
        scene = training_picture(rng, width=width, height=round(width * float(rng.uniform(0.6, 0.85))))
        pictures.append(
            Picture(
                image_bgr=scene.image_bgr,
                people_xyxy=scene.boxes_xyxy,
                ignore_xyxy=_boxes([]),
                scores=np.ones(len(scene.boxes_xyxy), np.float32),
                name=f"simulated-{seed}-{index}",
                group="simulated",
            )
        )
    return pictures


class TrainingPictures:
    """Endless augmented pictures: item `i` is always the same for the same seed and pictures."""

    def __init__(
        self,
        *,
        real: Sequence[Picture],
        simulated: Sequence[Picture],
        simulated_share: float,
        seed: int,
        width: int,
        height: int,
        mosaic_until: int,
    ) -> None:
        self._real = real
        self._simulated = simulated
        self._share = simulated_share if simulated else 0.0
        self._seed = seed
        self._size = (width, height)
        self._mosaic_until = mosaic_until
        weights = np.array([_weight(picture) for picture in real])
        self._cutouts = Cutouts(real)
        self._odds = np.cumsum(weights / weights.sum()) if len(real) else np.zeros(0)

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([self._seed, index])
        cv2.setNumThreads(0)
        if index < self._mosaic_until and rng.random() < 0.55:
            image, people, ignore = self._mosaic(rng)
        else:
            image, people, ignore = self._single(rng)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            people, ignore = _flip(people, image.shape[1]), _flip(ignore, image.shape[1])
        if rng.random() < 0.2:
            erase(rng, image, people)
        return Sample(image_bgr=colour_and_damage(rng, image), people_xyxy=people, ignore_xyxy=ignore)

    def _pick(self, rng: np.random.Generator) -> Picture:
        if rng.random() < self._share or not len(self._real):
            return self._simulated[int(rng.integers(len(self._simulated)))]
        picture = self._real[min(int(np.searchsorted(self._odds, rng.random())), len(self._real) - 1)]
        share = _PASTED if len(picture.people_xyxy) else _PASTED_EMPTY
        return self._peopled(rng, picture) if rng.random() < share and len(self._cutouts) else picture

    def _peopled(self, rng: np.random.Generator, picture: Picture) -> Picture:
        """The picture with people of other pictures set down in it."""
        image = picture.image_bgr.copy()
        people = self._cutouts.paste(rng, image, picture.people_xyxy)
        return replace(picture, image_bgr=image, people_xyxy=people, scores=np.ones(len(people), np.float32))

    def _single(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        width, height = self._size
        canvas = np.full((height, width, 3), 114, np.uint8)
        picture = self._pick(rng)
        people, ignore = place(
            rng,
            picture.image_bgr,
            picture.people_xyxy,
            picture.ignore_xyxy,
            canvas=canvas,
            window=(0, 0, width, height),
            zoom=(0.65, 1.9),
        )
        return canvas, people, ignore

    def _mosaic(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        width, height = self._size
        canvas = np.full((height, width, 3), 114, np.uint8)
        middle_x = int(width * rng.uniform(0.3, 0.7))
        middle_y = int(height * rng.uniform(0.3, 0.7))
        people: list[NDArray[np.float32]] = []
        ignore: list[NDArray[np.float32]] = []
        for left, right in ((0, middle_x), (middle_x, width)):
            for top, bottom in ((0, middle_y), (middle_y, height)):
                picture = self._pick(rng)
                here, skip = place(
                    rng,
                    picture.image_bgr,
                    picture.people_xyxy,
                    picture.ignore_xyxy,
                    canvas=canvas,
                    window=(left, top, right, bottom),
                    zoom=(1.0, 2.4),
                )
                people.append(here)
                ignore.append(skip)
        return canvas, np.concatenate(people), np.concatenate(ignore)


def _weight(picture: Picture) -> float:
    """How often a picture is taken, against others."""
    if not len(picture.people_xyxy):
        return _EMPTY_WEIGHT
    height, width = picture.image_bgr.shape[:2]
    largest = (picture.people_xyxy[:, 2:] - picture.people_xyxy[:, :2]).prod(1).max()
    return _PORTRAIT_WEIGHT if largest > _PORTRAIT * width * height else 1.0


def _boxes(rows: Iterable[Sequence[float]]) -> NDArray[np.float32]:
    return np.asarray(list(rows), np.float32).reshape(-1, 4)


def _flip(boxes_xyxy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    flipped = boxes_xyxy.copy()
    flipped[:, 0] = width - boxes_xyxy[:, 2]
    flipped[:, 2] = width - boxes_xyxy[:, 0]
    return flipped
