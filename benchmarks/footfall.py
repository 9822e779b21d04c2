"""How much of the time is the work itself: the camera's way from JPEG to facts beside bare decoding and inference.

Both take the same frames on the same threads in the same run, in turns, and the medians are compared. Bare means
`cv2.imdecode` of the whole picture and `session.run` on a ready tensor: nothing that could be left out is left out.

    python benchmarks/footfall.py --video entrance.mp4
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
import onnxruntime as ort

from edge.camera.detector import Detections, Detector
from edge.camera.pipeline import CameraPipeline
from edge.camera.tracker import Tracker
from edge.camera.video import VideoFile
from edge.models import LoadedModel, default_models_dir, load_model
from edge.settings import CameraSettings, LineSettings

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DOOR = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))


@dataclass(frozen=True)
class Yes:
    """No gate in the way: the pipeline is what is measured."""

    allowed: bool = True
    reason: str = ""


def frames(video: Path | None, *, count: int) -> list[bytes]:
    """JPEGs as a camera would send them: of the video, else of a rendered room of 640 x 480."""
    if video is None:
        rng = np.random.default_rng(0)
        pictures = [cv2.resize(rng.integers(0, 255, (30, 40, 3), np.uint8), (640, 480)) for _ in range(count)]
    else:
        with VideoFile(video) as source:
            pictures = [picture for _, (_, picture) in zip(range(count), source.frames(), strict=False)]
    return [bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]) for picture in pictures]


def bare(model: LoadedModel, *, threads: int) -> Callable[[bytes, datetime], object]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.onnx_bytes, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    tensor = np.full((1, 3, model.spec.input.height, model.spec.input.width), 114, np.float32)

    def run(jpeg: bytes, _: datetime) -> object:
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        return session.run(None, {name: tensor})

    return run


def whole(model: LoadedModel, *, threads: int) -> Callable[[bytes, datetime], object]:
    camera = CameraSettings(id="bench", zone="bench", lines=(DOOR,))
    pipeline = CameraPipeline(camera, detector=Detector(model, threads=threads), allowed=lambda _: Yes())
    return lambda jpeg, at: pipeline.frame(jpeg, received_at=at)


def milliseconds(ways: dict[str, Callable[[bytes, datetime], object]], jpegs: list[bytes]) -> dict[str, list[float]]:
    """Each way's time for each frame; the ways take turns, so that a busy moment hits both."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for index, jpeg in enumerate(jpegs):
        at = BEGINNING + timedelta(seconds=index / 5)
        for name in sorted(ways, reverse=bool(index % 2)):
            started = perf_counter()
            ways[name](jpeg, at)
            spent[name].append(1e3 * (perf_counter() - started))
    return spent


def tracker_ms(people: int, *, rounds: int = 300) -> float:
    """Median time of the tracker alone with so many people in view."""
    rng = np.random.default_rng(0)
    tracker = Tracker(width_px=1280, height_px=720, score_threshold=0.4)
    feet, drift = rng.uniform((50, 150), (1200, 700), (people, 2)), rng.uniform(-20, 20, (people, 2))
    spent = []
    for index in range(rounds):
        centre = feet + drift * np.sin(index / 15)
        boxes = np.concatenate((centre - np.array((20, 100)), centre + np.array((20, 0))), axis=1) + rng.normal(
            0, 1, (people, 4)
        )
        found = Detections(boxes.astype(np.float32), rng.uniform(0.5, 0.9, people).astype(np.float32))
        started = perf_counter()
        tracker.update(found, at_s=index / 5)
        spent.append(1e3 * (perf_counter() - started))
    return median(spent)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--video", type=Path)
    arguments.add_argument("--frames", type=int, default=300)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--model", default="footfall")
    arguments.add_argument("--models", type=Path, default=default_models_dir())
    given = arguments.parse_args()
    model = load_model(given.model, given.models)
    jpegs = frames(given.video, count=given.frames)
    ways = {"bare": bare(model, threads=given.threads), "pipeline": whole(model, threads=given.threads)}
    milliseconds(ways, jpegs[:20])
    spent = {name: median(times) for name, times in milliseconds(ways, jpegs).items()}
    report = {
        "frames": len(jpegs),
        "threads": given.threads,
        "bare_ms": round(spent["bare"], 3),
        "pipeline_ms": round(spent["pipeline"], 3),
        "ratio": round(spent["bare"] / spent["pipeline"], 3),
        "tracker_ms_30_people": round(tracker_ms(30), 3),
    }
    json.dump(report, sys.stdout)
    print()


if __name__ == "__main__":
    main()
