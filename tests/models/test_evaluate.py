from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.camera.coco import AnnotationsRefused, LabelledPicture, check_pictures, read_annotations, read_picture
from edge.camera.detector import Detections
from edge.camera.evaluate import (
    IOUS,
    Match,
    average_precision,
    best_threshold,
    figures,
    match,
    match_at_all,
    precision_recall,
)

Box = tuple[float, float, float, float]


def truth(*people: Box, ignore: tuple[Box, ...] = ()) -> LabelledPicture:
    corners = [np.array(boxes, np.float64).reshape(-1, 4) for boxes in (people, ignore)]
    return LabelledPicture("one.jpg", *corners, groups={})


def found(*boxes: tuple[Box, float]) -> Detections:
    return Detections.of([box for box, _ in boxes], [score for _, score in boxes])


def judged(one: Match) -> list[tuple[float, bool]]:
    return [(round(float(score), 4), bool(right)) for score, right in zip(one.scores, one.correct, strict=True)]


HERE: Box = (0, 0, 10, 10)
THERE: Box = (20, 0, 30, 10)


# -- Matching, worked by hand


def test_a_person_is_found_once() -> None:
    """The better of two boxes on one person is right, the other one is wrong."""
    one = match(found((HERE, 0.6), ((0, 0, 10, 9), 0.9)), truth(HERE, THERE), iou=0.5)
    assert (judged(one), one.people) == ([(0.9, True), (0.6, False)], 2)


def test_a_box_takes_the_person_it_overlaps_most() -> None:
    """Not the first one that is near enough: the next box finds its own person still free."""
    left, right = (0.0, 0.0, 10.0, 10.0), (4.0, 0.0, 14.0, 10.0)
    one = match(found(((3, 0, 13, 10), 0.9), ((0, 0, 10, 10), 0.8)), truth(left, right), iou=0.5)
    assert judged(one) == [(0.9, True), (0.8, True)]


@pytest.mark.parametrize(("iou", "right"), [(0.5, True), (0.8, True), (0.801, False), (0.95, False)])
def test_the_overlap_must_reach_the_bar(iou: float, right: bool) -> None:
    """Intersection over union of (0,0,10,8) and (0,0,10,10) is 0.8, which is enough at 0.8."""
    assert judged(match(found(((0, 0, 10, 8), 0.9)), truth(HERE), iou=iou)) == [(0.9, right)]


def test_ignore_regions_take_any_number_of_boxes() -> None:
    """A box that lies in one by its own share is neither right nor wrong; one that mostly does not is wrong."""
    region = (100.0, 0.0, 200.0, 100.0)
    boxes = found(
        ((110, 10, 120, 20), 0.9), ((150, 50, 160, 60), 0.8), ((95, 0, 105, 10), 0.7), ((91, 0, 101, 10), 0.6)
    )
    one = match(boxes, truth(HERE, ignore=(region,)), iou=0.5)
    assert judged(one) == [(0.6, False)]
    assert judged(match(boxes, truth(HERE, ignore=(region,)), iou=0.75)) == [(0.7, False), (0.6, False)]


def test_a_person_within_an_ignore_region_can_be_found() -> None:
    """A labelled person comes before the region around them."""
    assert judged(match(found((HERE, 0.9)), truth(HERE, ignore=((0, 0, 50, 50),)), iou=0.5)) == [(0.9, True)]


def test_people_of_other_sizes_neither_help_nor_harm() -> None:
    """By size: somebody outside it is not missed, their box not counted, and a stray box outside it not wrong."""
    small, large = (0.0, 0.0, 5.0, 5.0), (50.0, 0.0, 90.0, 40.0)
    boxes = found((small, 0.9), (large, 0.8), ((200, 0, 240, 40), 0.7), ((200, 0, 206, 6), 0.6))
    one = match(boxes, truth(small, large), iou=0.5, within=lambda them: them[:, 3] - them[:, 1] < 10)
    assert (judged(one), one.people) == ([(0.9, True), (0.6, False)], 1)


def test_nobody_and_nothing() -> None:
    """Empty on either side is no special case."""
    assert judged(match(found(), truth(HERE), iou=0.5)) == []
    assert judged(match(found((HERE, 0.5)), truth(), iou=0.5)) == [(0.5, False)]
    assert match(found(), truth(), iou=0.5).people == 0


def test_only_the_hundred_best_boxes_of_a_picture_are_judged() -> None:
    """As COCO does (maxDets)."""
    boxes = found(*[((50 + i, 0, 51 + i, 1), 0.9) for i in range(100)], (HERE, 0.5))
    one = match(boxes, truth(HERE), iou=0.5)
    assert len(one.scores) == 100
    assert not one.correct.any()


# -- The curve, worked by hand


def matches(*pairs: tuple[float, bool], people: int) -> Match:
    return Match(np.array([score for score, _ in pairs]), np.array([right for _, right in pairs], bool), people)


def test_average_precision_by_hand() -> None:
    """Right, wrong, right of two people: precision 1 up to recall 0.5, then 2/3; 51 and 50 of 101 recalls."""
    one = matches((0.9, True), (0.8, False), (0.7, True), people=2)
    assert average_precision([one]) == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_average_precision_of_half_the_people() -> None:
    """Recalls that are never reached count as nothing."""
    assert average_precision([matches((0.9, True), people=2)]) == pytest.approx(51 / 101)
    assert average_precision([matches(people=2)]) == 0.0
    assert average_precision([matches((0.9, False), people=0)]) is None


def test_precision_and_recall_are_read_at_the_threshold() -> None:
    """Boxes at the threshold count; with none above it, precision is unknown and recall nothing."""
    one = matches((0.9, True), (0.5, False), (0.4, True), people=4)
    assert precision_recall([one], threshold=0.5) == (0.5, 0.25)
    assert precision_recall([one], threshold=0.95) == (None, 0.0)
    assert precision_recall([matches((0.9, False), people=0)], threshold=0.5) == (0.0, None)


def test_the_best_threshold_has_the_best_f1() -> None:
    """One right of two at 0.9, two of three at 0.7: the latter's F1 is better."""
    threshold, f1 = best_threshold([matches((0.9, True), (0.8, False), (0.7, True), people=2)]) or (0, 0)
    assert (threshold, f1) == (0.7, pytest.approx(0.8))
    assert best_threshold([matches(people=1)]) is None


def test_figures_are_means_over_the_overlaps() -> None:
    """A box that overlaps by 0.8 is right at 0.5 to 0.8 and wrong above: AP is 7 of 10."""
    reached = figures([match_at_all(found(((0, 0, 10, 8), 0.9)), truth(HERE))], threshold=0.5)
    assert (reached.ap50, reached.recall, reached.precision, reached.n, reached.people) == (1.0, 1.0, 1.0, 1, 1)
    assert reached.ap == pytest.approx(0.7)
    assert IOUS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


# -- What holds for all


def pictures() -> st.SearchStrategy[list[tuple[Detections, LabelledPicture]]]:
    side = st.integers(0, 60)
    box = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), side, side, st.integers(1, 40), st.integers(1, 40))
    scored = st.lists(st.tuples(box, st.integers(1, 99).map(lambda n: n / 100)), max_size=8)
    one = st.builds(
        lambda boxes, people, ignore: (found(*boxes), truth(*people, ignore=tuple(ignore))),
        scored,
        st.lists(box, max_size=6),
        st.lists(box, max_size=2),
    )
    return st.lists(one, min_size=1, max_size=4)


@settings(deadline=None)
@given(pictures(), st.sampled_from(IOUS))
def test_no_box_is_judged_twice_and_nobody_is_found_twice(
    them: list[tuple[Detections, LabelledPicture]], iou: float
) -> None:
    """Right boxes are at most the people, judged boxes at most the boxes, and AP lies between 0 and 1."""
    all_matches = [match(boxes, labels, iou=iou) for boxes, labels in them]
    for one, (boxes, labels) in zip(all_matches, them, strict=True):
        assert one.correct.sum() <= one.people == len(labels.people_xyxy)
        assert len(one.scores) <= len(boxes)
    average = average_precision(all_matches)
    assert average is None or 0 <= average <= 1


@settings(deadline=None)
@given(pictures())
def test_perfect_boxes_are_perfect(them: list[tuple[Detections, LabelledPicture]]) -> None:
    """The labels themselves, given back as boxes, reach 1 in everything."""
    labels = [labels for _, labels in them if len(labels.people_xyxy)]
    own = [found(*[(tuple(box), 0.9) for box in one.people_xyxy.tolist()]) for one in labels]
    reached = figures([match_at_all(a, b) for a, b in zip(own, labels, strict=True)], threshold=0.5)
    if labels:
        assert (reached.ap50, reached.ap, reached.recall, reached.precision) == (1.0, 1.0, 1.0, 1.0)


@settings(deadline=None)
@given(pictures())
def test_the_figures_do_not_depend_on_scale_of_scores(them: list[tuple[Detections, LabelledPicture]]) -> None:
    """AP ranks: halving every score changes nothing but the threshold."""
    halved = [(Detections(boxes.boxes_xyxy, boxes.scores / 2), labels) for boxes, labels in them]
    one, other = (
        figures([match_at_all(*pair) for pair in pairs], threshold=threshold)
        for pairs, threshold in ((them, 0.5), (halved, 0.25))
    )
    assert one == other


@settings(deadline=None)
@given(pictures(), st.sampled_from(IOUS))
def test_average_precision_agrees_with_a_plain_reference(
    them: list[tuple[Detections, LabelledPicture]], iou: float
) -> None:
    """The 101-recall mean written out: for each recall the best precision at that recall or more."""
    all_matches = [match(boxes, labels, iou=iou) for boxes, labels in them]
    people = sum(one.people for one in all_matches)
    ranked = sorted((pair for one in all_matches for pair in judged(one)), key=lambda pair: -pair[0])
    points = [
        (sum(right for _, right in ranked[: i + 1]) / people, sum(right for _, right in ranked[: i + 1]) / (i + 1))
        for i in range(len(ranked))
        if people
    ]
    best = [max((p for r, p in points if r >= step / 100 - 1e-12), default=0.0) for step in range(101)]
    wanted = sum(best) / 101 if people else None
    assert average_precision(all_matches) == (None if wanted is None else pytest.approx(wanted))


# -- COCO files


def coco(folder: Path, **changes: object) -> Path:
    content = {
        "images": [{"id": 7, "file_name": "a.png", "view": "high"}, {"id": 8, "file_name": "b.png"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1, "id": 3},
            {"image_id": 7, "category_id": 2, "bbox": [5, 5, 5, 5], "iscrowd": 0},
            {"image_id": 99, "category_id": 1, "bbox": [5, 5, 5, 5]},
        ],
        "categories": [{"id": 2, "name": "dog"}, {"id": 1, "name": "Person"}],
        **changes,
    }
    (folder / "people.json").write_text(json.dumps(content))
    return folder / "people.json"


def test_people_are_the_category_of_that_name(tmp_path: Path) -> None:
    """Boxes become corners, crowds become ignore regions, other categories and pictures are left out."""
    first, second = read_annotations(coco(tmp_path))
    assert (first.file_name, first.groups, second.groups) == ("a.png", {"view": "high"}, {})
    assert first.people_xyxy.tolist() == [[1, 2, 4, 6]]
    assert first.ignore_xyxy.tolist() == [[0, 0, 9, 9]]
    assert second.people_xyxy.shape == second.ignore_xyxy.shape == (0, 4)


def test_the_only_category_is_people_whatever_its_name(tmp_path: Path) -> None:
    """A set of shoppers labelled `customer`, say."""
    path = coco(tmp_path, categories=[{"id": 2, "name": "customer"}])
    assert read_annotations(path)[0].people_xyxy.tolist() == [[5, 5, 10, 10]]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]}, "no category 'person' among: dog, cat"),
        ({"images": []}, "images"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3]}]}, "annotations.0.bbox"),
        ({"categories": None}, "categories"),
    ],
)
def test_what_is_no_annotation_file_is_refused(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    """One line that names the place."""
    with pytest.raises(AnnotationsRefused, match=why) as caught:
        read_annotations(coco(tmp_path, **changes))
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_cleanly(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No traceback, whatever the file holds."""
    path = tmp_path_factory.mktemp("coco") / "people.json"
    path.write_bytes(content)
    with pytest.raises(AnnotationsRefused):
        read_annotations(path)


def test_pictures_that_are_missing_are_said_in_one_error(tmp_path: Path) -> None:
    """How many, and the first; before anything is measured."""
    labels = read_annotations(coco(tmp_path))
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(AnnotationsRefused, match=r"1 of 2 are not there, the first is a\.png"):
        check_pictures(tmp_path, labels)


def test_a_file_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Annotations are somebody else's file: they do not choose what is opened."""
    cv2.imwrite(str(tmp_path / "outside.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "in").mkdir()
    with pytest.raises(AnnotationsRefused, match="lies outside"):
        read_picture(tmp_path / "in", "../outside.png")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    """A text named a.png is one clear error."""
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(AnnotationsRefused, match="no picture"):
        read_picture(tmp_path, "a.png")
