"""Pictures for training the person detector: COCO folders, simulated scenes, augmentation.

Every training picture is a pure function of (seed, step, place in the batch), so a run can stop,
resume, and use any number of loader processes without changing what the network sees.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from torch.utils.data import Dataset

from edge.simulate.scene import training_picture
from models.train.footfall_augment import colour_and_damage, erase, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Picture", "Sample", "TrainingPictures", "load_coco", "simulated_pictures"]

_EMPTY_WEIGHT = 0.35  # pictures without people teach little each; a third of the others' share


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One labelled picture: BGR pixels, people and regions to ignore as (n, 4) xyxy pixels."""

    image_bgr: NDArray[np.uint8]
    people_xyxy: NDArray[np.float32]
    ignore_xyxy: NDArray[np.float32]
    name: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One augmented picture at the network's size; fields as in `Picture`."""

    image_bgr: NDArray[np.uint8]
    people_xyxy: NDArray[np.float32]
    ignore_xyxy: NDArray[np.float32]


def load_coco(folder: Path) -> list[Picture]:
    """Read a COCO folder (`annotations.json`, `images/`) into memory; `iscrowd` boxes are ignored."""
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    people: dict[int, list[list[float]]] = {}
    ignore: dict[int, list[list[float]]] = {}
    for annotation in content["annotations"]:
        left, top, width, height = annotation["bbox"]
        boxes = ignore if annotation.get("iscrowd") else people
        boxes.setdefault(annotation["image_id"], []).append([left, top, left + width, top + height])
    pictures: list[Picture] = []
    for entry in content["images"]:
        image = cv2.imread(str(folder / "images" / entry["file_name"]), cv2.IMREAD_COLOR)
        if image is None:
            msg = f"cannot read picture {entry['file_name']} of {folder}"
            raise FileNotFoundError(msg)
        pictures.append(
            Picture(
                image_bgr=np.asarray(image, np.uint8),
                people_xyxy=_boxes(people.get(entry["id"], [])),
                ignore_xyxy=_boxes(ignore.get(entry["id"], [])),
                name=entry["file_name"],
                group=str(entry.get("scene", "")),
            )
        )
    return pictures


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
                name=f"simulated-{seed}-{index}",
                group="simulated",
            )
        )
    return pictures


class TrainingPictures(Dataset[Sample]):
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
        weights = np.array([1.0 if len(p.people_xyxy) else _EMPTY_WEIGHT for p in real])
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
        return self._real[min(int(np.searchsorted(self._odds, rng.random())), len(self._real) - 1)]

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
            zoom=(0.7, 1.9),
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


def _boxes(rows: Iterable[Sequence[float]]) -> NDArray[np.float32]:
    return np.asarray(list(rows), np.float32).reshape(-1, 4)


def _flip(boxes_xyxy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    flipped = boxes_xyxy.copy()
    flipped[:, 0] = width - boxes_xyxy[:, 2]
    flipped[:, 2] = width - boxes_xyxy[:, 0]
    return flipped
