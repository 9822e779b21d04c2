"""How much of the time is the work itself: the camera's way from JPEG to facts beside bare decoding and inference.

All ways take the same frames on the same threads in the same run, in turns of five seconds of picture time (so that what
a camera does once a second is in every turn), and what is compared is the median of the turns' ratios, with its quartiles.
Bare means `cv2.imdecode` of the whole picture and `session.run` on a ready tensor: nothing that could be left out is left
out. `ratio_same_decode` is against decoding it as small as the pipeline does, which leaves the pipeline nothing to gain. The
motion gate is off but for `scenes`. `carried` runs the gateway's own camera room on two threads with more pictures than it
can take. On standard error the same in words.

    python benchmarks/footfall.py
    python benchmarks/footfall.py --video entrance.mp4 --sizes 640x480
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
import onnxruntime as ort

from edge.bus.dead_letters import DeadLetter
from edge.camera.detector import Detections, Detector
from edge.camera.guard import FrameLimits, inspect_jpeg
from edge.camera.input_tensor import placer_for
from edge.camera.letterbox import reduction_for
from edge.camera.pipeline import CameraPipeline
from edge.camera.tracker import Tracker
from edge.camera.video import VideoFile
from edge.cameras import Cameras
from edge.facts import Crossing
from edge.messages import CameraFrame, Device, Received
from edge.models import LoadedModel, default_models_dir, load_model
from edge.outcome import Outcome
from edge.settings import CameraSettings, LineSettings
from edge.simulate.scene import DoorScene

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DOOR = LineSettings(name="door", points=((0.0, 0.5), (1.0, 0.5)))
FPS = 5
CORES = 2
TURN = 5 * FPS
SIZES = ("480x270", "640x480", "1280x720", "1920x1080")
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


def frames(video: Path | None, *, size: str, count: int) -> list[bytes]:
    """JPEGs as a camera of that size would send them: of the video, else of a simulated door."""
    width, height = map(int, size.split("x"))
    if video is None:
        scene = DoorScene(seed=1, width=width, height=height)
        return [jpeg_of(scene.frame(10 + index / FPS).image_bgr) for index in range(count)]
    with VideoFile(video) as source:
        pictures = [picture for _, (_, picture) in zip(range(count), source.frames(), strict=False)]
    return [jpeg_of(cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA)) for one in pictures]


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


def milliseconds(ways: dict[str, Way], jpegs: list[bytes]) -> dict[str, np.ndarray]:
    """Each way's time a frame in each turn. The ways take the same turn one after another, and each begins as often."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn, begin in enumerate(range(0, len(jpegs), TURN)):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = perf_counter()
            for index, jpeg in enumerate(jpegs[begin : begin + TURN], begin):
                ways[name](jpeg, BEGINNING + timedelta(seconds=index / FPS))
            spent[name].append(1e3 * (perf_counter() - started) / len(jpegs[begin : begin + TURN]))
    return {name: np.array(times) for name, times in spent.items()}


def compare(model: LoadedModel, jpegs: list[bytes], *, threads: int) -> dict[str, object]:
    """The pipeline beside the two bare ways."""
    whole = pipeline_of(model, threads=threads)
    ways: dict[str, Way] = {
        "bare": bare(model, jpegs[0], threads=threads, reduce=False),
        "bare_same_decode": bare(model, jpegs[0], threads=threads, reduce=True),
        "pipeline": lambda jpeg, at: whole.frame(jpeg, received_at=at),
    }
    milliseconds(ways, jpegs[:TURN])
    spent = milliseconds(ways, jpegs)
    ratios = spent["bare"] / spent["pipeline"]
    return {
        **{f"{name}_ms": round(float(np.median(times)), 3) for name, times in spent.items()},
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_quartiles": np.quantile(ratios, (0.25, 0.75)).round(3).tolist(),
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
    """One simulated door with the motion gate off and on: time a frame, frames spared."""
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
    }


def carried(model: LoadedModel, people_per_minute: float, *, gate: bool, seconds: int) -> int:
    """Cameras at 5 frames/s that two cores carry: the gateway's camera room, in which a picture always waits.

    MQTT, the store's database and the cameras' own encoding have no part in it.
    """
    scene = DoorScene(seed=3, people_per_minute=people_per_minute)
    x1, y1, x2, y2 = scene.line
    line = LineSettings(name="door", points=((x1, y1), (x2, y2)))
    jpegs = [jpeg_of(scene.frame(index / FPS).image_bgr) for index in range(60 * FPS)]
    names = [f"cam-{index}" for index in range(2 * CORES)]
    sent, done, over = dict.fromkeys(names, 0), threading.Event(), perf_counter() + seconds

    def offer(name: str) -> None:
        index = sent[name]
        sent[name] += 1
        at = BEGINNING + timedelta(seconds=index / FPS)
        cameras.offer(Received(Device("camera", name), CameraFrame(jpegs[index % len(jpegs)]), at))

    def deliver(outcome: Outcome) -> None:
        assert outcome.device is not None
        assert outcome.dead_letter is None
        if perf_counter() >= over:
            done.set()
        else:
            offer(outcome.device.id)

    cameras = Cameras(
        {name: pipeline_of(model, threads=1, line=line, gate=gate) for name in names},
        threads=CORES,
        deliver=deliver,
        count=lambda _: None,
        gauge=lambda *_: None,
        dead_letter=lambda error, _: DeadLetter(error.reason, "", 0, ""),
        merge=lambda facts: facts,
    )
    for name in names:
        offer(name)
    cameras.start()
    done.wait()
    cameras.stop()
    return int(sum(sent.values()) / seconds / FPS)


def sentence(busy: int, spared: dict[str, int], model: str) -> str:
    """What a shopkeeper wants to know."""
    with_gate = ", ".join(
        f"{count} in {'an' if name == 'empty' else 'a'} {name} shop" for name, count in spared.items()
    )
    return (
        f"Two of these cores carry {busy} cameras of 640 x 480 at {FPS} frames a second with {model} looking at every "
        f"picture, and with the motion gate {with_gate}."
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--video", type=Path)
    arguments.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH")
    arguments.add_argument("--frames", type=int, default=500)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument(
        "--scenes", type=int, default=20, metavar="S", help="seconds of each simulated shop; 0: none"
    )
    arguments.add_argument("--model", default="footfall")
    arguments.add_argument("--models", type=Path, default=default_models_dir())
    given = arguments.parse_args()
    cv2.setNumThreads(given.threads)
    model = load_model(given.model, given.models)
    sizes: dict[str, object] = {}
    for size in given.sizes:
        sizes[size] = compare(model, frames(given.video, size=size, count=given.frames), threads=given.threads)
        print(f"{size}: {sizes[size]}", file=sys.stderr)
    (jpeg,) = frames(None, size="640x480", count=1)
    report = {
        "frames": given.frames,
        "threads": given.threads,
        "load": round(os.getloadavg()[0], 2),  # of neighbours as well: beside busy ones no figure here is worth much
        "sizes": sizes,
        "tracker": tracker_beside_detector(model, jpeg, people=30),
    }
    if given.scenes:
        report["scenes"] = {name: shop(model, rate, seconds=given.scenes) for name, rate in SHOPS.items()}
        seconds = max(2, given.scenes // 2)
        busy = carried(model, SHOPS["busy"], gate=False, seconds=seconds)
        spared = {name: carried(model, rate, gate=True, seconds=seconds) for name, rate in SHOPS.items()}
        report["cameras"] = {"gate_off": busy, **{f"gate_on_{name}": count for name, count in spared.items()}}
        report["said"] = sentence(busy, spared, given.model)
        print(report["said"], file=sys.stderr)
    json.dump(report, sys.stdout)
    print()


if __name__ == "__main__":
    main()
