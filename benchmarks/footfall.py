"""How much of the time is the work itself: the camera's way from JPEG to facts beside bare decoding and inference.

All ways take the same frames on the same threads in the same run, in turns, and what is compared is the median of the
ratios, frame by frame. Bare means `cv2.imdecode` and `session.run` on a ready tensor: nothing that could be left out is
left out. `ratio` is against decoding the whole picture, as anybody would; `ratio_same_decode` is against decoding it as
small as the pipeline does, which leaves the pipeline nothing to gain. The motion gate is off but for `scenes`.

    python benchmarks/footfall.py --video entrance.mp4
    python benchmarks/footfall.py --scenes 60
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
import onnxruntime as ort

from edge.camera.detector import Detections, Detector
from edge.camera.guard import FrameLimits, inspect_jpeg
from edge.camera.input_tensor import placer_for
from edge.camera.letterbox import reduction_for
from edge.camera.pipeline import CameraPipeline
from edge.camera.tracker import Tracker
from edge.camera.video import VideoFile
from edge.facts import Crossing
from edge.models import LoadedModel, default_models_dir, load_model
from edge.settings import CameraSettings, LineSettings
from edge.simulate.scene import DoorScene

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DOOR = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))
FPS = 5
CORES = 2
REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
REDUCED[8] = cv2.IMREAD_REDUCED_COLOR_8
SHOPS = {"empty": 0.001, "quiet": 4.0, "busy": 40.0}
"""People a minute."""

Way = Callable[[bytes, datetime], object]


@dataclass(frozen=True)
class Yes:
    """No gate in the way: the pipeline is what is measured."""

    allowed: bool = True
    reason: str = ""


def jpeg_of(picture: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def frames(video: Path | None, *, count: int) -> list[bytes]:
    """JPEGs as a camera would send them: of the video, else of a simulated door of 640 x 480."""
    if video is None:
        scene = DoorScene(seed=1)
        return [jpeg_of(scene.frame(10 + index / FPS).image_bgr) for index in range(count)]
    with VideoFile(video) as source:
        return [jpeg_of(picture) for _, (_, picture) in zip(range(count), source.frames(), strict=False)]


def bare(model: LoadedModel, first: bytes, *, threads: int, reduce: bool) -> Way:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.onnx_bytes, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    header = inspect_jpeg(first, limits=FrameLimits())
    by = reduction_for(width=header.width, height=header.height, target=model.spec.input) if reduce else 1
    picture = np.asarray(cv2.imdecode(np.frombuffer(first, np.uint8), REDUCED[by]), np.uint8)
    tensor, _ = placer_for(model.spec.input).place(picture)

    def run(jpeg: bytes, _: datetime) -> object:
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), REDUCED[by])
        return session.run(None, {name: tensor})

    return run


def pipeline_of(model: LoadedModel, *, threads: int, line: LineSettings = DOOR, gate: bool = False) -> CameraPipeline:
    camera = CameraSettings(id="bench", zone="bench", lines=(line,), motion_gate=gate)
    return CameraPipeline(camera, detector=Detector(model, threads=threads), allowed=lambda _: Yes())


def milliseconds(ways: dict[str, Way], jpegs: Iterable[bytes]) -> dict[str, np.ndarray]:
    """Each way's time for each frame; the ways take turns, so that a busy moment hits them all."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for index, jpeg in enumerate(jpegs):
        at = BEGINNING + timedelta(seconds=index / FPS)
        turn = index % len(names)
        for name in names[turn:] + names[:turn]:
            started = perf_counter()
            ways[name](jpeg, at)
            spent[name].append(1e3 * (perf_counter() - started))
    return {name: np.array(times) for name, times in spent.items()}


def compare(model: LoadedModel, jpegs: list[bytes], *, threads: int) -> dict[str, float]:
    """The pipeline beside the two bare ways."""
    whole = pipeline_of(model, threads=threads)
    ways: dict[str, Way] = {
        "bare": bare(model, jpegs[0], threads=threads, reduce=False),
        "bare_same_decode": bare(model, jpegs[0], threads=threads, reduce=True),
        "pipeline": lambda jpeg, at: whole.frame(jpeg, received_at=at),
    }
    milliseconds(ways, jpegs[:20])
    spent = milliseconds(ways, jpegs)
    return {
        **{f"{name}_ms": round(float(np.median(times)), 3) for name, times in spent.items()},
        "ratio": round(float(np.median(spent["bare"] / spent["pipeline"])), 3),
        "ratio_same_decode": round(float(np.median(spent["bare_same_decode"] / spent["pipeline"])), 3),
    }


def crowds(people: int, *, rounds: int) -> Iterable[Detections]:
    """So many people in view, who sway."""
    rng = np.random.default_rng(0)
    feet, drift = rng.uniform((50, 150), (1200, 700), (people, 2)), rng.uniform(-20, 20, (people, 2))
    for index in range(rounds):
        centre = feet + drift * np.sin(index / 15)
        boxes = np.concatenate((centre - np.array((20, 100)), centre + np.array((20, 0))), axis=1)
        noisy = boxes + rng.normal(0, 1, (people, 4))
        yield Detections(noisy.astype(np.float32), rng.uniform(0.5, 0.9, people).astype(np.float32))


def tracker_beside_detector(model: LoadedModel, jpeg: bytes, *, people: int, rounds: int = 200) -> dict[str, float]:
    """The tracker's time as a share of the detector's: on its own, and right after each inference with cold caches."""
    detector = Detector(model)
    picture = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    detecting: list[float] = []

    def tracking(*, after_inference: bool) -> float:
        tracker, spent = Tracker(width_px=1280, height_px=720, score_threshold=0.4), []
        for index, found in enumerate(crowds(people, rounds=rounds)):
            if after_inference:
                started = perf_counter()
                detector.detect(picture)
                detecting.append(1e3 * (perf_counter() - started))
            started = perf_counter()
            tracker.update(found, at_s=index / FPS)
            spent.append(1e3 * (perf_counter() - started))
        return median(spent)

    alone, after = tracking(after_inference=False), tracking(after_inference=True)
    detect = median(detecting)
    return {
        "people": people,
        "detector_ms": round(detect, 3),
        "tracker_ms": round(alone, 3),
        "share": round(alone / detect, 4),
        "tracker_ms_after_inference": round(after, 3),
        "share_after_inference": round(after / detect, 4),
    }


def shop(model: LoadedModel, people_per_minute: float, *, seconds: int) -> dict[str, float]:
    """One simulated door with the motion gate off and on: time a frame, frames spared, cameras that the cores carry."""
    scene = DoorScene(seed=3, people_per_minute=people_per_minute)
    x1, y1, x2, y2 = scene.line
    line = LineSettings(name="door", points=((x1, y1), (x2, y2)))
    pipelines = {way: pipeline_of(model, threads=1, line=line, gate=way == "on") for way in ("off", "on")}
    spent: dict[str, list[float]] = {way: [] for way in pipelines}
    crossings, spared = dict.fromkeys(pipelines, 0), 0
    for index in range(seconds * FPS):
        jpeg, at = jpeg_of(scene.frame(index / FPS).image_bgr), BEGINNING + timedelta(seconds=index / FPS)
        for way in sorted(pipelines, reverse=bool(index % 2)):
            started = perf_counter()
            result = pipelines[way].frame(jpeg, received_at=at)
            spent[way].append(1e3 * (perf_counter() - started))
            crossings[way] += sum(isinstance(fact, Crossing) for fact in result.facts)
            spared += result.skipped
    # A mean, not a median: what a camera costs over a minute is what the cores must carry.
    mean = {way: float(np.mean(times)) for way, times in spent.items()}
    return {
        "crossings_true": len(scene.crossings(until_s=seconds)),
        **{f"crossings_gate_{way}": crossings[way] for way in pipelines},
        "frames_spared": round(spared / (seconds * FPS), 3),
        **{f"ms_gate_{way}": round(mean[way], 3) for way in pipelines},
        **{f"cameras_gate_{way}": int(CORES * 1000 / FPS / mean[way]) for way in pipelines},
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--video", type=Path)
    arguments.add_argument("--frames", type=int, default=300)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument(
        "--scenes", type=int, default=20, metavar="S", help="seconds of each simulated shop; 0: none"
    )
    arguments.add_argument("--model", default="footfall")
    arguments.add_argument("--models", type=Path, default=default_models_dir())
    given = arguments.parse_args()
    model = load_model(given.model, given.models)
    jpegs = frames(given.video, count=given.frames)
    report = {
        "frames": len(jpegs),
        "threads": given.threads,
        **compare(model, jpegs, threads=given.threads),
        "tracker": tracker_beside_detector(model, jpegs[0], people=30),
        "scenes": {name: shop(model, rate, seconds=given.scenes) for name, rate in SHOPS.items() if given.scenes},
    }
    json.dump(report, sys.stdout)
    print()


if __name__ == "__main__":
    main()
