"""What a teacher's looks add to labels, and what they take away."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.footfall_data import Picture, load_coco

LEFT = [10.0, 20.0, 40.0, 110.0]
RIGHT = [100.0, 20.0, 140.0, 120.0]


def folder_with(tmp_path: Path, annotations: list[dict[str, object]]) -> Path:
    """A COCO folder of one grey picture."""
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "one.png"), np.full((150, 200, 3), 90, np.uint8))
    images = [{"id": 1, "file_name": "one.png", "width": 200, "height": 150, "scene": "here"}]
    content = {"images": images, "annotations": [{"id": n, "image_id": 1, **a} for n, a in enumerate(annotations)]}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    return tmp_path


def label(box_xyxy: list[float], **more: object) -> dict[str, object]:
    """A COCO annotation."""
    x1, y1, x2, y2 = box_xyxy
    return {"category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0, "source": "human", **more}


def loaded(folder: Path, *rows: list[float]) -> Picture:
    """The picture with what a teacher found in it."""
    (picture,) = load_coco(folder, {"one.png": [list(row) for row in rows]})
    return picture


def test_people_own_labels_stay_whatever_the_teacher_says(tmp_path: Path) -> None:
    """A person somebody labelled stays a person, with the label's own box."""
    picture = loaded(folder_with(tmp_path, [label(LEFT)]), [12.0, 22.0, 41.0, 112.0, 0.9])
    assert picture.people_xyxy.tolist() == [LEFT]
    assert picture.scores.tolist() == [1.0]


@pytest.mark.parametrize(("score", "people", "ignored"), [(0.8, 2, 0), (0.3, 1, 1), (0.1, 1, 0)])
def test_whom_the_labels_left_out(tmp_path: Path, score: float, people: int, ignored: int) -> None:
    """Beside people's labels a sure find is a person, a half-sure one is left open, the rest is nothing."""
    picture = loaded(folder_with(tmp_path, [label(LEFT)]), [*RIGHT, score])
    assert (len(picture.people_xyxy), len(picture.ignore_xyxy)) == (people, ignored)


def test_one_look_yields_to_many(tmp_path: Path) -> None:
    """Where only a teacher labelled, many looks replace one; whom they no longer see is left open, not called nobody."""
    folder = folder_with(tmp_path, [label(LEFT, source="teacher"), label(RIGHT, source="teacher")])
    picture = loaded(folder, [9.0, 21.0, 42.0, 111.0, 0.7])
    assert picture.people_xyxy.tolist() == [[9.0, 21.0, 42.0, 111.0]]
    assert picture.scores.tolist() == pytest.approx([0.7])
    assert picture.ignore_xyxy.tolist() == [RIGHT]


def test_a_place_without_people_stays_empty(tmp_path: Path) -> None:
    """A picture in which people found nobody takes nobody from the teacher."""
    picture = loaded(folder_with(tmp_path, []), [*RIGHT, 0.9])
    assert len(picture.people_xyxy) == len(picture.ignore_xyxy) == 0


def test_without_a_teacher_labels_are_as_they_are(tmp_path: Path) -> None:
    """No taught file: people and regions to ignore come from the labels alone."""
    (picture,) = load_coco(folder_with(tmp_path, [label(LEFT), label(RIGHT, iscrowd=1)]))
    assert picture.people_xyxy.tolist() == [LEFT]
    assert picture.ignore_xyxy.tolist() == [RIGHT]
