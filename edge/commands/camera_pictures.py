"""A camera's pictures for a command: out of a film, or as the running camera publishes them, in memory only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from edge.bus.listener import TopicListener
from edge.bus.topics import topic_for
from edge.camera.detector import Detector
from edge.camera.guard import FrameLimits, frame_stamp, inspect_jpeg
from edge.camera.letterbox import reduction_for
from edge.camera.video import VideoFile
from edge.clock import plausible, utc_now
from edge.consent.gate import ConsentGate
from edge.errors import MessageRejected, ThresholdError
from edge.messages import Device
from edge.settings import CameraSettings, Settings

__all__ = ["Picture", "film", "live"]

Picture = tuple[float, NDArray[np.uint8]]
"""Its time in seconds, and its pixels (height, width, 3) in BGR."""

_MOST_FPS = 10.0
"""A camera in a shop sends no more; a film of more is thinned."""

_LOOK_S = 0.5


def film(path: Path) -> Generator[Picture]:
    """A film's pictures, `_MOST_FPS` a second at most."""
    if not path.is_file():
        raise click.UsageError(f"no such video file: {path}")
    with VideoFile(path) as source, _progress("watching", source.frames_expected) as advance:
        last = -1
        for at_s, image_bgr in source.frames():
            advance(1)
            part = int(at_s * _MOST_FPS + 1e-6)
            if part > last:
                last = part
                yield at_s, image_bgr


def live(settings: Settings, camera: CameraSettings, detector: Detector, *, seconds: float) -> Generator[Picture]:
    """What the camera publishes for so many seconds, the newest picture each time; asked of the consent gate first.

    Raises:
        ThresholdError: the gate says no, or the broker does not let us listen.
    """
    gate = ConsentGate.of(settings)
    topic = topic_for(settings.store.id, Device("camera", camera.id), "frame")
    with TopicListener(settings.mqtt, topic=topic) as listener, _progress("watching", round(seconds)) as advance:
        until_s, told_s = monotonic() + seconds, 0
        while (left_s := until_s - monotonic()) > 0:
            jpeg = listener.take(timeout_s=min(_LOOK_S, left_s))
            now = utc_now()
            answer = gate.ask("footfall", at=now, zone=camera.zone)
            if not answer.allowed:
                raise ThresholdError("tune camera", f"'{camera.id}'", answer.reason)
            passed_s = round(seconds - max(0.0, until_s - monotonic()))
            advance(passed_s - told_s)
            told_s = passed_s
            picture = None if jpeg is None else _decoded(jpeg, detector, received_at=now)
            if picture is not None:
                yield picture


def _decoded(jpeg: bytes, detector: Detector, *, received_at: datetime) -> Picture | None:
    """A frame as the gateway would decode it, by the camera's own time; None for one that it would refuse."""
    try:
        header = inspect_jpeg(jpeg, limits=FrameLimits())
    except MessageRejected:
        return None
    at = plausible(frame_stamp(header) or received_at, received_at=received_at)
    by = reduction_for(width=header.width, height=header.height, target=detector.input)
    reduced = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    flags = reduced.get(by, cv2.IMREAD_COLOR) | cv2.IMREAD_IGNORE_ORIENTATION
    image_bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags)
    return None if image_bgr is None else (at.timestamp(), np.asarray(image_bgr, np.uint8))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[float], None]]:
    """A bar on standard error; yields what moves it on."""
    columns = (TextColumn(what), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda steps: bar.advance(task, steps)
