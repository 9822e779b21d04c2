"""Scripted people with realistic misses and false alarms, and a count held against the script, event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from edge.camera.detector import Detections
from edge.facts import Direction
from edge.settings import LineSettings

Frame = tuple[float, Detections, list[int]]
"""Its time, the boxes found in it, and whose each of them is."""

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
    truth: tuple[Direction, ...]
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


def detect(rng: np.random.Generator, walkers: list[Walker], at_s: float, *, fps: float) -> tuple[Detections, list[int]]:
    """What a fair detector would find: noise, single misses, blind spells, occlusion, the odd false alarm.

    Beside each box stands whose it is, an index of `walkers`; -1 is nobody's.
    """
    limits = np.array((WIDTH, HEIGHT, WIDTH, HEIGHT))
    boxes, scores, owners, in_front = [], [], [], []
    present = [(index, one, *one.foot(at_s)) for index, one in enumerate(walkers) if one.begins_s <= at_s <= one.ends_s]
    for index, one, x, y in sorted(present, key=lambda entry: -entry[3]):
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
        owners.append(index)
    if rng.random() < 0.03:
        x, y, height = rng.uniform(0, WIDTH - 80), rng.uniform(0, HEIGHT - 100), rng.uniform(60, 200)
        boxes.append(np.clip((x, y, x + 0.4 * height, y + height), 0, limits))
        scores.append(rng.uniform(0.4, 0.7))
        owners.append(-1)
    return Detections.of([box.tolist() for box in boxes], scores), owners


def _covered(box: np.ndarray, other: np.ndarray) -> float:
    size = np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0)
    return float(size.prod() / (box[2:] - box[:2]).prod())


@dataclass(frozen=True)
class Event:
    """Somebody goes over the line at `x`; `who` is a walker, or a track."""

    at_s: float
    direction: Direction
    x: float
    who: int


@dataclass(frozen=True)
class Verdict:
    """What one way of a window came to: true crossings, those nobody counted, and counts of nobody."""

    true: int
    missed: int
    invented: int


MINUTES = 15
_EARLY_S, _LATE_S, _NEAR_PX = -2.0, 20.0, 130.0
"""Somebody who stands on the line is counted when he leaves it."""


def window(seed: int, fps: float, *, people_a_minute: float = 8) -> tuple[list[Walker], Iterator[Frame]]:
    """A quarter of an hour: who is in it, and its frames at an uneven rate."""
    rng = np.random.default_rng(seed)
    walkers = crowd(rng, minutes=MINUTES, people_a_minute=people_a_minute)

    def frames() -> Iterator[Frame]:
        at_s = 0.0
        while at_s < MINUTES * 60:
            at_s += rng.uniform(0.9, 1.1) / fps
            yield (at_s, *detect(rng, walkers, at_s, fps=fps))

    return walkers, frames()


def true_crossings(walkers: list[Walker]) -> list[Event]:
    """When and where each walker goes over the line for good, from the script."""
    events = []
    for index, one in enumerate(walkers):
        if not one.truth:
            continue
        times = np.arange(one.begins_s, one.ends_s, 0.02)
        below = np.array([one.foot(at_s)[1] > LINE_Y for at_s in times])
        turns = np.flatnonzero(below[1:] != below[:-1]) + 1
        for turn, direction in zip(turns[-len(one.truth) :], one.truth, strict=True):
            events.append(Event(float(times[turn]), direction, one.foot(times[turn])[0], index))
    return events


def judge(truth: list[Event], counted: list[Event], direction: Direction) -> Verdict:
    """Pair counts with true crossings of the same way, near in time and place: one too many never makes up for one
    too few.
    """
    true, found = ([one for one in events if one.direction == direction] for events in (truth, counted))
    cost = np.full((len(true), len(found)), np.inf)
    for row, one in enumerate(true):
        for column, other in enumerate(found):
            late_s, aside_px = other.at_s - one.at_s, abs(other.x - one.x)
            if _EARLY_S < late_s < _LATE_S and aside_px < _NEAR_PX:
                cost[row, column] = abs(late_s) / 10 + aside_px / 100
    apart = 100.0
    rows, columns = linear_sum_assignment(np.minimum(cost, apart))
    paired = int((cost[rows, columns] < apart).sum())
    return Verdict(len(true), len(true) - paired, len(found) - paired)
