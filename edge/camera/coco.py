"""COCO annotations of people: which picture, who is in it, and which regions are not to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.errors import ThresholdError

__all__ = ["AnnotationsRefused", "LabelledPicture", "check_pictures", "read_annotations", "read_picture"]

_PERSON = "person"
_BoxTuple = tuple[float, float, float, float]


class AnnotationsRefused(ThresholdError):
    """Annotations or their pictures that cannot be measured against."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture's truth: `people_xyxy` (n, 4) and `ignore_xyxy` (m, 4), pixels; `groups` such as {"view": "high"}."""

    file_name: str
    people_xyxy: NDArray[np.float64]
    ignore_xyxy: NDArray[np.float64]
    groups: Mapping[str, str]


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Category(_Loose):
    id: int
    name: str


class _Image(_Loose):
    id: int
    file_name: str
    view: str | None = None
    scene: str | None = None


class _Annotation(_Loose):
    image_id: int
    category_id: int
    bbox: _BoxTuple
    iscrowd: bool = False


class _Coco(_Loose):
    images: list[_Image] = Field(min_length=1)
    annotations: list[_Annotation]
    categories: list[_Category] = Field(min_length=1)


def read_annotations(path: Path) -> tuple[LabelledPicture, ...]:
    """The pictures of a COCO file with their people: the category `person`, or the only one there is.

    Raises:
        AnnotationsRefused: it is no COCO detection file, or says not which boxes are people.
    """
    try:
        content = _Coco.model_validate_json(path.read_bytes())
    except OSError as error:
        raise AnnotationsRefused("read annotations", str(path), f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"not a COCO detection file: {where + ': ' if where else ''}{first['msg']}"
        raise AnnotationsRefused("read annotations", str(path), why) from error
    person = _person_category(content.categories, path)
    mine = [one for one in content.annotations if one.category_id == person]
    return tuple(_labelled(content.images, mine))


def _person_category(categories: Sequence[_Category], path: Path) -> int:
    named = [one.id for one in categories if one.name.strip().lower() == _PERSON]
    if len(named) == 1:
        return named[0]
    if len(categories) == 1:
        return categories[0].id
    names = ", ".join(one.name for one in categories[:8])
    raise AnnotationsRefused("read annotations", str(path), f"no category '{_PERSON}' among: {names}")


def _labelled(images: Sequence[_Image], annotations: Sequence[_Annotation]) -> list[LabelledPicture]:
    people: dict[int, list[_BoxTuple]] = {image.id: [] for image in images}
    ignored: dict[int, list[_BoxTuple]] = {image.id: [] for image in images}
    for one in annotations:
        boxes = ignored if one.iscrowd else people
        if one.image_id in boxes:
            boxes[one.image_id].append(one.bbox)
    return [
        LabelledPicture(image.file_name, _corners(people[image.id]), _corners(ignored[image.id]), _groups(image))
        for image in images
    ]


def _corners(boxes_xywh: Sequence[_BoxTuple]) -> NDArray[np.float64]:
    corners = np.array(boxes_xywh, np.float64).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return corners


def _groups(image: _Image) -> dict[str, str]:
    return {key: value for key, value in (("view", image.view), ("scene", image.scene)) if value}


def read_picture(folder: Path, file_name: str) -> NDArray[np.uint8]:
    """The picture `file_name` of `folder`, BGR, as its pixels lie in the file.

    Raises:
        AnnotationsRefused: it is not there, lies outside the folder, or is no picture.
    """
    path = _picture_path(folder, file_name)
    image_bgr = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image_bgr is None:
        raise AnnotationsRefused("read picture", str(path), "it is no picture that OpenCV can read")
    return np.asarray(image_bgr, np.uint8)


def _picture_path(folder: Path, file_name: str) -> Path:
    """Where a picture lies.

    Raises:
        AnnotationsRefused: `file_name` leads out of the folder.
    """
    path = folder / file_name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise AnnotationsRefused("read picture", file_name, f"it lies outside {folder}")
    return path


def check_pictures(folder: Path, pictures: Sequence[LabelledPicture]) -> None:
    """Whether all pictures are there, said in one error before any work is done.

    Raises:
        AnnotationsRefused: some are missing.
    """
    missing = [one.file_name for one in pictures if not _picture_path(folder, one.file_name).is_file()]
    if missing:
        first = f"{len(missing)} of {len(pictures)} are not there, the first is {missing[0]}"
        raise AnnotationsRefused("read pictures", str(folder), first)
