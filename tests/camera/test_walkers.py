"""Scripted people with realistic misses and false alarms, through tracker and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from edge.camera.counting import CountingLine
from edge.camera.detector import Detections
from edge.camera.tracker import Tracker
from edge.settings import LineSettings

WIDTH, HEIGHT = 640, 480
LINE_Y = HEIGHT / 2
DOOR = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))
KINDS = {
    "through": 0.72,
    "stands on the line": 0.08,
    "stands and turns": 0.04,
    "turns before": 0.08,
    "turns after": 0.08,
}


@dataclass
class Walker:
    """Somebody whose foot is at `foot(t)` while in the scene, and how she ought to be counted."""

    foot: Callable[[float], tuple[float, float]]
    height: float
    begins_s: float
    ends_s: float
    truth: tuple[str, ...]
    blind_until_s: float = 0.0


def walker(rng: np.random.Generator, kind: str, begins_s: float) -> Walker:
    """One scripted person, downwards or upwards over the middle of the picture."""
    height = rng.uniform(110, 180)
    speed, x, drift = rng.uniform(0.45, 1.0) * height, rng.uniform(80, WIDTH - 80), rng.uniform(-0.15, 0.15) * height
    down = rng.random() < 0.5
    sign = 1 if down else -1
    start, end = (-10.0, HEIGHT + height) if down else (HEIGHT + height, -10.0)
    there, back = ("in", "out") if down else ("out", "in")
    script: dict[str, tuple[list[tuple[float, float]], tuple[str, ...]]] = {
        "through": ([(end, 0)], (there,)),
        "stands on the line": ([(LINE_Y + rng.uniform(-0.03, 0.03) * height, rng.uniform(3, 15)), (end, 0)], (there,)),
        "stands and turns": ([(LINE_Y - sign * 0.01 * height, rng.uniform(3, 15)), (start, 0)], ()),
        "turns before": ([(LINE_Y - sign * rng.uniform(0.3, 0.6) * height, rng.uniform(0, 2)), (start, 0)], ()),
        "turns after": ([(LINE_Y + sign * rng.uniform(0.35, 0.7) * height, 1.0), (start, 0)], (there, back)),
    }
    stops, truth = script[kind]
    times, ys = [begins_s], [start]
    for y, wait_s in stops:
        times += [times[-1] + abs(y - ys[-1]) / speed, 0.0]
        times[-1] = times[-2] + wait_s
        ys += [y, y]

    def foot(at_s: float) -> tuple[float, float]:
        return x + drift * float(np.sin((at_s - begins_s) * 0.8)), float(np.interp(at_s, times, ys))

    return Walker(foot, height, begins_s, times[-1], truth)


def beside(rng: np.random.Generator, first: Walker) -> Walker:
    """Somebody who walks with `first`, an elbow's width away."""
    offset, delay_s = rng.choice([-1, 1]) * rng.uniform(0.38, 0.5) * first.height, rng.uniform(-0.15, 0.15)

    def foot(at_s: float) -> tuple[float, float]:
        x, y = first.foot(at_s + delay_s)
        return x + offset, y

    return Walker(foot, first.height * rng.uniform(0.9, 1.1), first.begins_s, first.ends_s, first.truth)


def crowd(rng: np.random.Generator, *, minutes: float, people_a_minute: float) -> list[Walker]:
    """Everybody of a quarter of an hour; a quarter of those who walk through come in pairs."""
    walkers, at_s = [], 2.0
    while at_s < minutes * 60 - 20:
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        walkers.append(walker(rng, kind, at_s))
        if kind == "through" and rng.random() < 0.25:
            walkers.append(beside(rng, walkers[-1]))
        at_s += rng.exponential(60 / people_a_minute)
    return walkers


def detect(rng: np.random.Generator, walkers: list[Walker], at_s: float, *, fps: float) -> Detections:
    """What a fair detector would find: noise, single misses, blind spells, occlusion, the odd false alarm."""
    limits = np.array((WIDTH, HEIGHT, WIDTH, HEIGHT))
    boxes, scores, in_front = [], [], []
    present = [(one, *one.foot(at_s)) for one in walkers if one.begins_s <= at_s <= one.ends_s]
    for one, x, y in sorted(present, key=lambda entry: -entry[2]):
        half = one.height * 0.19
        box = np.clip((x - half, y - one.height, x + half, y), 0, limits)
        if box[3] - box[1] < 0.15 * one.height or box[2] - box[0] < 5:
            continue
        covered = max((_covered(box, other) for other in in_front), default=0.0)
        in_front.append(box)
        if covered > 0.7 or at_s < one.blind_until_s or rng.random() < 0.06:
            continue
        if rng.random() < 0.05 / fps:
            one.blind_until_s = at_s + rng.uniform(0.3, 0.8)
            continue
        boxes.append(np.clip(box + rng.normal(0, 0.02 * one.height, 4), 0, limits))
        scores.append(float(np.clip(rng.normal(0.75 - 0.3 * covered, 0.13), 0.05, 0.98)))
    if rng.random() < 0.03:
        x, y, height = rng.uniform(0, WIDTH - 80), rng.uniform(0, HEIGHT - 100), rng.uniform(60, 200)
        boxes.append(np.clip((x, y, x + 0.4 * height, y + height), 0, limits))
        scores.append(rng.uniform(0.4, 0.7))
    return Detections.of([box.tolist() for box in boxes], scores)


def _covered(box: np.ndarray, other: np.ndarray) -> float:
    size = np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0)
    return float(size.prod() / (box[2:] - box[:2]).prod())


def count(seed: int, fps: float) -> tuple[Counter[str], Counter[str]]:
    """Truth and count of one quarter of an hour at an uneven frame rate."""
    rng = np.random.default_rng(seed)
    walkers = crowd(rng, minutes=15, people_a_minute=8)
    truth = Counter(way for one in walkers for way in one.truth)
    following = Tracker(width_px=WIDTH, height_px=HEIGHT, score_threshold=0.4)
    line = CountingLine(DOOR, width_px=WIDTH, height_px=HEIGHT)
    counted: Counter[str] = Counter()
    at_s = 0.0
    while at_s < 15 * 60:
        at_s += rng.uniform(0.9, 1.1) / fps
        counted.update(line.update(following.update(detect(rng, walkers, at_s, fps=fps), at_s=at_s)))
    counted.update(line.finish())
    return truth, counted


@pytest.mark.parametrize(("fps", "share_wrong"), [(3, 0.04), (5, 0.02), (10, 0.02)])
def test_a_quarter_of_an_hour_is_counted_right_both_ways(fps: float, share_wrong: float) -> None:
    """Pairs, turns, standing on the line, occlusion, misses and false alarms: in and out each, window by window."""
    truths, wrong = Counter[str](), Counter[str]()
    for seed in range(3):
        truth, counted = count(seed, fps)
        truths += truth
        # Window by window and each way for itself, so that no error is netted away.
        wrong.update({way: abs(truth[way] - counted[way]) for way in ("in", "out")})
    assert min(truths.values()) > 150
    assert wrong["in"] <= share_wrong * truths["in"]
    assert wrong["out"] <= share_wrong * truths["out"]
