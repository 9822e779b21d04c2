from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.train import footfall_data as data
from models.train.footfall_cutouts import Cutouts

IN_SIGHT = 90
seeds = st.integers(0, 2**32 - 1)


def same(one: object, other: object) -> bool:
    """Whether two samples are the same to the bit."""
    names = ("image_bgr", "people_xyxy", "ignore_xyxy")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def endless(pictures: list, *, seed: int = 1, mosaic_until: int = 1 << 40) -> object:
    return data.TrainingPictures(
        real=pictures, simulated=[], simulated_share=0.0, seed=seed, width=160, height=128, mosaic_until=mosaic_until
    )


@pytest.fixture(scope="module")
def crowd(room_of: Callable[..., np.ndarray]) -> list:
    """Four pictures of 200 x 150; two people in each but the last, large enough to be cut out."""
    boxes = [(30.0, 20.0, 70.0, 120.0), (120.0, 30.0, 165.0, 140.0)]
    return [
        data.Picture(
            image_bgr=room_of((200, 150), people, seed=number),
            people_xyxy=np.array(people, np.float32).reshape(-1, 4),
            ignore_xyxy=np.zeros((0, 4), np.float32),
            scores=np.ones(len(people), np.float32),
            name=f"{number}",
            group="crowd",
        )
        for number, people in enumerate((boxes, boxes[:1], boxes[1:], []))
    ]


# -- Reading


def test_a_coco_folder_is_read_as_it_is_labelled(shop: Path) -> None:
    """Corners, regions to ignore, scenes, pictures without anybody."""
    pictures = data.load_coco(shop)
    assert [picture.name for picture in pictures] == [f"{number}.png" for number in range(1, 7)]
    assert [picture.group for picture in pictures] == ["wall", "wall", "roof", "aisle", "door", "shelves"]
    assert [len(picture.people_xyxy) for picture in pictures] == [1, 2, 1, 1, 2, 0]
    assert pictures[2].people_xyxy.tolist() == [[60, 10, 80, 58]]
    assert pictures[2].ignore_xyxy.tolist() == [[16, 8, 32, 40]]
    assert pictures[5].people_xyxy.shape == pictures[5].ignore_xyxy.shape == (0, 4)
    assert all(picture.image_bgr.shape == (64, 96, 3) for picture in pictures)


def test_a_missing_picture_is_named(shop: Path) -> None:
    """Rather than trained without."""
    (shop / "images" / "4.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"4\.png"):
        data.load_coco(shop)


def test_simulated_pictures_follow_from_the_seed() -> None:
    """And no box leaves its picture."""
    one, other = (data.simulated_pictures(3, seed=5) for _ in range(2))
    assert all(same(*pair) for pair in zip(one, other, strict=True))
    assert not same(one[0], data.simulated_pictures(1, seed=6)[0])
    for picture in one:
        height, width = picture.image_bgr.shape[:2]
        assert ((picture.people_xyxy >= 0) & (picture.people_xyxy <= (width, height, width, height))).all()


# -- Endless pictures


@pytest.mark.parametrize("mosaic_until", [0, 1 << 40])
def test_item_i_is_always_the_same(crowd: list, mosaic_until: int) -> None:
    """Whatever was asked for before it, so that a run can resume and any number of processes can share the work."""
    one, other = endless(crowd, mosaic_until=mosaic_until), endless(crowd, mosaic_until=mosaic_until)
    numbers = list(range(1000, 1024))
    forwards = {number: one[number] for number in numbers}
    assert all(same(forwards[number], other[number]) for number in reversed(numbers))
    assert all(same(forwards[number], one[number]) for number in numbers[::3])


def test_another_seed_is_another_training(crowd: list) -> None:
    """And one item is unlike the next."""
    one, other = endless(crowd, seed=1), endless(crowd, seed=2)
    assert not any(same(one[number], other[number]) for number in range(8))
    assert not any(same(one[number], one[number + 1]) for number in range(8))


def test_the_input_is_never_changed(crowd: list) -> None:
    """Pasting, covering and damaging work on copies."""
    before = [picture.image_bgr.copy() for picture in crowd]
    pictures = endless(crowd)
    for number in range(60):
        pictures[number]
    assert all(np.array_equal(picture.image_bgr, old) for picture, old in zip(crowd, before, strict=True))


def test_people_lie_in_the_picture(crowd: list) -> None:
    """Boxes of the network's size, right way round, as 32-bit floats; most pictures have somebody."""
    pictures, peopled = endless(crowd), 0
    for number in range(80):
        sample = pictures[number]
        assert (sample.image_bgr.shape, sample.image_bgr.dtype) == ((128, 160, 3), np.uint8)
        for boxes in (sample.people_xyxy, sample.ignore_xyxy):
            assert boxes.dtype == np.float32
            assert ((boxes >= 0) & (boxes <= (160, 128, 160, 128))).all()
            assert (boxes[:, 2:] > boxes[:, :2]).all()
        peopled += len(sample.people_xyxy) > 0
    assert peopled > 40


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(0, 50), st.integers(1, 9))
def test_a_mirrored_box_lies_on_the_mirrored_person(width: int, left: int, wide: int) -> None:
    """Mirroring twice gives the box back."""
    left = min(left, width - 1)
    right = min(left + wide, width)
    image = np.zeros((4, width), np.uint8)
    image[:, left:right] = 255
    box = np.array([[left, 0, right, 4]], np.float32)
    mirrored = data._flip(box, width)
    columns = np.flatnonzero(image[0, ::-1])
    assert mirrored.tolist() == [[columns.min(), 0, columns.max() + 1, 4]]
    assert np.array_equal(data._flip(mirrored, width), box)


# -- People set down elsewhere


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_people_set_down_are_told_of(crowd: list, seed: int) -> None:
    """Nobody new is in sight outside a new box, each new box shows somebody, labelled people keep their boxes."""
    image, people = crowd[1].image_bgr.copy(), crowd[1].people_xyxy
    before = image.copy()
    everybody = Cutouts(crowd).paste(np.random.default_rng(seed), image, people)
    assert np.array_equal(everybody[: len(people)], people)
    shown = image.min(2) > IN_SIGHT
    for x1, y1, x2, y2 in everybody[len(people) :].astype(int):
        assert shown[y1:y2, x1:x2].mean() > 0.2
    for x1, y1, x2, y2 in everybody.astype(int):
        shown[max(0, y1 - 1) : y2 + 1, max(0, x1 - 1) : x2 + 1] = False
    # A piece of nobody, set down the same way, may hold a fiftieth of somebody.
    assert (shown & (before.min(2) <= IN_SIGHT)).mean() < 0.005


def test_the_same_people_are_set_down_in_every_process(crowd: list) -> None:
    """What was set down before plays no part."""
    one, other = Cutouts(crowd), Cutouts(crowd)
    one.paste(np.random.default_rng(9), crowd[0].image_bgr.copy(), crowd[0].people_xyxy)
    images = [crowd[3].image_bgr.copy() for _ in range(2)]
    found = [
        cutouts.paste(np.random.default_rng(3), image, crowd[3].people_xyxy)
        for cutouts, image in zip((one, other), images, strict=True)
    ]
    assert np.array_equal(*images)
    assert np.array_equal(*found)
    assert len(found[0])
