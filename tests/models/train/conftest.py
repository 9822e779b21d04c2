"""Tiny labelled pictures to train and measure on: dark rooms with bright ovals for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # `models` is no installed package: its tools run from the repository's root

Box = tuple[float, float, float, float]


def room(size_wh: tuple[int, int], boxes_xyxy: Sequence[Box], *, seed: int = 0) -> np.ndarray:
    """A picture, BGR: each box is filled by an oval, which reaches all of its sides."""
    width, height = size_wh
    image = np.random.default_rng(seed).integers(20, 60, (height, width, 3), np.uint8)
    for x1, y1, x2, y2 in boxes_xyxy:
        middle, axes = ((x1 + x2) / 2 - 0.5, (y1 + y2) / 2 - 0.5), (x2 - x1, y2 - y1)
        cv2.ellipse(image, (middle, axes, 0.0), (240, 250, 245), cv2.FILLED)
    return image


def write_coco(root: Path, entries: Sequence[tuple[str, dict[str, str], Sequence[Box], Sequence[Box]]]) -> Path:
    """A COCO folder of (file name, groups, people, regions to ignore), 96 x 64 pixels each."""
    (root / "images").mkdir(parents=True)
    images, annotations = [], []
    for number, (name, groups, people, ignored) in enumerate(entries, start=1):
        cv2.imwrite(str(root / "images" / name), room((96, 64), people, seed=number))
        images.append({"id": number, "file_name": name, "width": 96, "height": 64, **groups})
        for crowd, boxes in enumerate((people, ignored)):
            for x1, y1, x2, y2 in boxes:
                box = {"image_id": number, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": crowd}
                annotations.append({**box, "id": len(annotations) + 1})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (root / "annotations.json").write_text(json.dumps(content), "utf-8")
    return root


@pytest.fixture(scope="session")
def room_of() -> Callable[..., np.ndarray]:
    """Draws a picture with ovals for people."""
    return room


@pytest.fixture(scope="session")
def coco_of() -> Callable[..., Path]:
    """Writes a COCO folder."""
    return write_coco


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A COCO folder of six pictures: `wall` seen from high, `roof` from overhead, `aisle` and `door` at eye level."""
    here: Box = (16, 8, 32, 40)  # where tiny_yolox sees its person
    there: Box = (60, 10, 80, 58)
    return write_coco(
        tmp_path / "shop",
        [
            ("1.png", {"view": "high", "scene": "wall"}, [here], []),
            ("2.png", {"view": "high", "scene": "wall"}, [here, there], []),
            ("3.png", {"view": "overhead", "scene": "roof"}, [there], [here]),
            ("4.png", {"view": "eye", "scene": "aisle"}, [here], []),
            ("5.png", {"view": "eye", "scene": "door"}, [here, there], []),
            ("6.png", {"scene": "shelves"}, [], []),
        ],
    )
