"""The tracker beside a well-known library's ByteTrack: same boxes, same counter, right answers known; and its memory.

Scripted crowds walk through a door (`tests/support/scripted_crowd.py`). For each tracker: crossings missed and counted
for nobody, how often a person's track changes its id, milliseconds a frame. The other tracker is Supervision's (MIT),
a development-only dependency: `pip install 'threshold[bench]'`; without it only our own figures are printed.

    python benchmarks/tracker.py
    python benchmarks/tracker.py --memory-frames 1000000
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np

from edge.camera.counting import CountingLine
from edge.camera.detector import Detections
from edge.camera.tracker import TrackedPerson, Tracker

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from scripted_crowd import DOOR, HEIGHT, WIDTH, Event, Frame, Walker, judge, true_crossings, window

THRESHOLD = 0.4
PAGE_KB = 4
SAME_PERSON_PX = 25.0

Update = Callable[[Detections, float], tuple[TrackedPerson, ...]]


@dataclass
class Score:
    """What one tracker made of all windows."""

    true: int = 0
    missed: int = 0
    invented: int = 0
    id_switches: int = 0
    tracks: int = 0
    frames: int = 0
    seconds: float = 0.0

    def report(self) -> dict[str, float]:
        """Plain figures."""
        return {
            "crossings": self.true,
            "missed": self.missed,
            "invented": self.invented,
            "right": round(1 - (self.missed + self.invented) / max(self.true, 1), 4),
            "id_switches": self.id_switches,
            "tracks": self.tracks,
            "ms_per_frame": round(1e3 * self.seconds / max(self.frames, 1), 4),
        }


def ours(_: float) -> Update:
    tracker = Tracker(width_px=WIDTH, height_px=HEIGHT, score_threshold=THRESHOLD)
    return lambda found, at_s: tracker.update(found, at_s=at_s)


def supervision(fps: float) -> Update:
    import supervision as sv  # noqa: PLC0415  it need not be installed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it has moved to a package that drags in a second OpenCV
        tracker = sv.ByteTrack(track_activation_threshold=THRESHOLD, lost_track_buffer=66, frame_rate=round(fps))

    def update(found: Detections, _: float) -> tuple[TrackedPerson, ...]:
        given = sv.Detections(xyxy=found.boxes_xyxy, confidence=found.scores, class_id=np.zeros(len(found), int))
        tracked = tracker.update_with_detections(given)
        ids = [] if tracked.tracker_id is None else tracked.tracker_id.tolist()
        boxes = tracked.xyxy.tolist()
        return tuple(
            TrackedPerson(one, (x1, y1, x2, y2), ((x1 + x2) / 2, y2), True, 1.0, 0.0, at_edge=False)
            for one, (x1, y1, x2, y2) in zip(ids, boxes, strict=True)
        )

    return update


class Watcher:
    """Whose track is whose: a person's id switches when her box is next claimed by another track."""

    def __init__(self) -> None:
        self._track_of: dict[int, int] = {}
        self.switches = 0

    def look(self, frame: Frame, people: tuple[TrackedPerson, ...]) -> None:
        """Note whose boxes of this frame are whose tracks."""
        _, found, owners = frame
        seen = [person for person in people if person.missing_s == 0]
        if not seen or not len(found):
            return
        corners = np.array([person.box_xyxy for person in seen])
        for box, owner in zip(found.boxes_xyxy, owners, strict=True):
            apart = np.abs(corners - box).max(axis=1)
            nearest = int(apart.argmin())
            if owner < 0 or apart[nearest] > SAME_PERSON_PX:
                continue
            before = self._track_of.get(owner)
            self._track_of[owner] = seen[nearest].track_id
            self.switches += before is not None and before != seen[nearest].track_id


def run(update: Update, walkers: list[Walker], frames: list[Frame], score: Score) -> None:
    """One quarter of an hour."""
    line, watcher = CountingLine(DOOR, width_px=WIDTH, height_px=HEIGHT), Watcher()
    counted: list[Event] = []
    foot_x: dict[int, float] = {}
    # ByteTrack reports no track that was missed in this frame; ours does, as missing: the line must know it lives.
    last: dict[int, tuple[float, TrackedPerson]] = {}
    for frame in frames:
        at_s, found, _ = frame
        started = perf_counter()
        people = update(found, at_s)
        score.seconds += perf_counter() - started
        watcher.look(frame, people)
        last = {one: (when, person) for one, (when, person) in last.items() if at_s - when <= 2.2}
        last |= {person.track_id: (at_s, person) for person in people if person.missing_s == 0}
        known = {person.track_id for person in people}
        lost = [_missing(person, at_s - when) for one, (when, person) in last.items() if one not in known]
        foot_x |= {person.track_id: person.foot_xy[0] for person in people}
        counted += [Event(at_s, way, foot_x[one], one) for one, way in line.crossings([*people, *lost])]
    truth = true_crossings(walkers)
    for way in ("in", "out"):
        verdict = judge(truth, counted, way)
        score.true += verdict.true
        score.missed += verdict.missed
        score.invented += verdict.invented
    score.id_switches += watcher.switches
    score.tracks += len(foot_x)
    score.frames += len(frames)


def _missing(person: TrackedPerson, missing_s: float) -> TrackedPerson:
    return TrackedPerson(
        person.track_id, person.box_xyxy, person.foot_xy, person.confirmed, person.score, missing_s, person.at_edge
    )


def resident_kb() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_KB


def memory(quarter: list[Frame], *, frames: int) -> dict[str, float]:
    """Resident memory over so many frames of a door with some people, never the same twice."""
    tracker = Tracker(width_px=WIDTH, height_px=HEIGHT, score_threshold=THRESHOLD)
    line = CountingLine(DOOR, width_px=WIDTH, height_px=HEIGHT)
    rng = np.random.default_rng(0)
    begun_s, seen, samples = 0.0, 0, []
    started = perf_counter()
    while seen < frames:
        # One window's boxes again and again, each time a little elsewhere, with a pause between.
        for at_s, found, _ in quarter:
            shifted = Detections(found.boxes_xyxy + rng.normal(0, 2, (len(found), 4)).astype(np.float32), found.scores)
            line.update(tracker.update(shifted, at_s=begun_s + at_s))
        seen += len(quarter)
        begun_s += 1000
        samples.append(resident_kb())
    warm = samples[len(samples) // 10]
    return {
        "frames": seen,
        "people": tracker.confirmed_total,
        "resident_kb_after_a_tenth": warm,
        "resident_kb_at_the_end": samples[-1],
        "grown_kb": samples[-1] - warm,
        "ms_per_frame": round(1e3 * (perf_counter() - started) / seen, 4),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--windows", type=int, default=4, help="quarters of an hour")
    arguments.add_argument("--first-seed", type=int, default=3000)
    arguments.add_argument("--fps", type=float, nargs="+", default=[3, 5, 10])
    arguments.add_argument("--memory-frames", type=int, default=50_000)
    given = arguments.parse_args()
    ways: dict[str, Callable[[float], Update]] = {"threshold": ours}
    if find_spec("supervision"):
        ways["supervision ByteTrack"] = supervision
    report: dict[str, object] = {}
    for fps in given.fps:
        scores = {name: Score() for name in ways}
        for seed in range(given.first_seed, given.first_seed + given.windows):
            walkers, seen = window(seed, fps)
            frames = list(seen)
            for name, way in ways.items():
                run(way(fps), walkers, frames, scores[name])
        report[f"{fps:g} frames/s"] = {name: score.report() for name, score in scores.items()}
    report["memory"] = memory(list(window(given.first_seed, 5)[1]), frames=given.memory_frames)
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
