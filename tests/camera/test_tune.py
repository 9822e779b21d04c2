"""A threshold from a camera's own tracks: near the one that labels would give, and no change where none is worth it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scripted_crowd import DOOR, HEIGHT, WIDTH, crowd, detect

from edge.camera.detector import LOW_SCORE, Detections
from edge.camera.evaluate import Match, precision_recall
from edge.camera.tune import SLACK, Look, Sight, advise, advise_for, count_at, sort_boxes
from edge.errors import ThresholdError
from edge.settings import CameraSettings

CAMERA = CameraSettings(id="door", zone="hall", lines=(DOOR,))
FPS = 5.0
POSTERS = ((40.0, 60.0, 90.0, 190.0), (560.0, 30.0, 610.0, 170.0))
NOW = 0.2


def f1(matches: list[Match], threshold: float) -> float:
    precision, recall = precision_recall(matches, threshold=threshold)
    return 2 * precision * recall / (precision + recall) if precision and recall else 0.0


@cache
def scene(seed: int, *, poster_score: float, people_score: float = 0.0) -> tuple[Sight, tuple[Match, ...], int]:
    """Four minutes of people who walk, posters that are found again and again, and what is found of nobody now and then.

    With it what the script itself says of every box, and how many people there were. `people_score` is added to the
    scores of people's boxes.
    """
    rng = np.random.default_rng(seed)
    walkers = crowd(rng, minutes=4, people_a_minute=12)
    looks, truth = [], []
    for picture in range(int(4 * 60 * FPS)):
        found, owners = detect(rng, walkers, picture / FPS, fps=FPS)
        real = np.array([owner >= 0 for owner in owners], bool)
        scores = np.clip(found.scores + np.where(real, people_score, 0.0), 0.05, 0.98)
        boxes = [*found.boxes_xyxy.tolist(), *((np.array(one) + rng.normal(0, 2, 4)).tolist() for one in POSTERS)]
        scores = np.array([*scores, *np.clip(rng.normal(poster_score, 0.05, len(POSTERS)), 0.0, 0.98)])
        real = np.array([*real, *[False] * len(POSTERS)])
        seen = scores >= LOW_SCORE
        looks.append(Look(picture / FPS, Detections.of(np.array(boxes)[seen].tolist(), scores[seen].tolist())))
        truth.append(Match(scores[seen], real[seen], sum(w.begins_s <= picture / FPS <= w.ends_s for w in walkers)))
    return Sight(WIDTH, HEIGHT, tuple(looks)), tuple(truth), len(walkers)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("poster_score", "people_score"), [(0.4, 0.0), (0.5, 0.0), (0.25, -0.2)])
def test_it_is_nearly_as_good_as_with_labels(seed: int, poster_score: float, people_score: float) -> None:
    """Posters that look like people, people that look like none: within two points of the best F1 that the truth allows."""
    sight, truth, _ = scene(seed, poster_score=poster_score, people_score=people_score)
    found = advise(sort_boxes(sight).matches, threshold_now=NOW, slack=SLACK)
    best = max(f1(list(truth), one / 100) for one in range(10, 95))
    assert f1(list(truth), found.threshold) >= best - 0.02
    assert f1(list(truth), found.threshold) > f1(list(truth), NOW) + 0.02
    assert found.f1 > found.f1_now


def test_it_says_what_was_what() -> None:
    """Both posters never moved, most people walked, and every box is in one of the kinds or left out."""
    sight, _, people = scene(1, poster_score=0.5)
    kinds = sort_boxes(sight)
    assert kinds.tracks["still"] >= len(POSTERS)
    assert 0.6 * people <= kinds.tracks["walked"] <= 1.2 * people
    assert kinds.boxes == sum(len(look.found) for look in sight.looks)
    assert 0.8 * kinds.boxes < kinds.boxes_judged <= kinds.boxes


def test_nothing_is_changed_without_need() -> None:
    """Where the present threshold is within a point of the best, it is kept to the digit."""
    sight, _, _ = scene(2, poster_score=0.5)
    matches = sort_boxes(sight).matches
    good = advise(matches, threshold_now=NOW, slack=SLACK).threshold
    again = advise(matches, threshold_now=good + 0.001, slack=SLACK)
    assert again.threshold in {good + 0.001, good}
    kept = advise(matches, threshold_now=0.6123, slack=0.2)
    assert (kept.threshold, kept.f1) == (0.6123, kept.f1_now)


def test_with_labels_the_best_is_the_best() -> None:
    """Matches of labelled pictures go without slack: no threshold has a better F1."""
    _, truth, _ = scene(3, poster_score=0.4)
    found = advise(truth, threshold_now=NOW)
    assert found.f1 == pytest.approx(max(f1(list(truth), one / 100) for one in range(10, 95)), abs=0.005)


def test_a_count_of_ones_own_is_come_near_to() -> None:
    """With how many there were, the people tracked are as many as can be, and the posters are out."""
    sight, _, people = scene(1, poster_score=0.4)
    found = advise_for(people, sight, sort_boxes(sight).matches, threshold_now=NOW)
    counted = count_at(sight, CAMERA, threshold=found.threshold).people
    others = [count_at(sight, CAMERA, threshold=one / 100).people for one in range(10, 90, 8)]
    assert abs(counted - people) <= min(abs(one - people) for one in others)


def test_what_would_change_is_counted_as_the_gateway_counts() -> None:
    """Tracks and lines at a threshold, from boxes alone: about the script's people, and nobody where nothing is so sure."""
    sight, _, people = scene(1, poster_score=0.4)
    counts = count_at(sight, CAMERA, threshold=0.5)
    assert counts.people == pytest.approx(people, rel=0.2)
    assert sum(counts.lines["door"]) == pytest.approx(0.9 * people, rel=0.25)
    nobody = count_at(sight, CAMERA, threshold=0.99)
    assert (nobody.people, nobody.lines) == (0, {"door": (0, 0)})


@pytest.mark.parametrize("found", [[], [((40, 60, 90, 190), 0.9)]], ids=["nothing", "one poster"])
def test_an_empty_shop_is_an_error(found: list[tuple[tuple[int, ...], float]]) -> None:
    """Nobody walked: there is nothing to advise on, and it says so."""
    boxes, scores = [list(box) for box, _ in found], [score for _, score in found]
    looks = tuple(Look(picture / FPS, Detections.of(boxes, scores)) for picture in range(100))
    kinds = sort_boxes(Sight(WIDTH, HEIGHT, looks))
    assert kinds.tracks["walked"] == 0
    with pytest.raises(ThresholdError, match="nobody was found"):
        advise(kinds.matches, threshold_now=0.3)


BOX = st.tuples(st.floats(0, 600), st.floats(0, 400), st.floats(1, 300), st.floats(1, 300), st.floats(LOW_SCORE, 1))


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(BOX, max_size=6), min_size=1, max_size=12), st.sampled_from([0.0, 0.1, 0.5, 3.0, 9.0]))
def test_any_boxes_at_any_times_are_accounted_for(pictures: list[list[tuple[float, ...]]], step_s: float) -> None:
    """Nonsense in every picture: no box is judged twice, recall is a share, and the threshold is one."""
    looks = tuple(
        Look(
            index * step_s, Detections.of([[x, y, x + w, y + h] for x, y, w, h, _ in boxes], [one[-1] for one in boxes])
        )
        for index, boxes in enumerate(pictures)
    )
    kinds = sort_boxes(Sight(WIDTH, HEIGHT, looks))
    assert kinds.boxes_judged <= kinds.boxes
    assert all(int(match.correct.sum()) <= match.people for match in kinds.matches)
    if any(match.people for match in kinds.matches):
        assert LOW_SCORE <= advise(kinds.matches, threshold_now=0.3, slack=SLACK).threshold <= 1
