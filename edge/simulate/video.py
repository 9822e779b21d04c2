"""Any video as a smart camera: a file in its own order and speed, a stream or webcam with the newest picture."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from math import floor
from pathlib import Path
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import cv2
import numpy as np
import structlog

from edge.camera.video import VideoFile
from edge.errors import ThresholdError
from edge.simulate.camera import FrameSender
from edge.simulate.pace import Metronome

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FilmedVideo", "LiveVideo", "VideoCamera", "VideoSource", "is_live", "is_stream", "open_video", "shown_name"]

LOOP_PAUSE_S = 3.0
"""Longer than a tracker remembers whom it has lost."""

log = structlog.get_logger(__name__)

_STREAMS = ("rtsp", "rtsps", "http", "https")
_REOPEN_LONGEST_S = 30.0
_OPEN_TIMEOUT_MS = 10_000


class VideoSource(Protocol):
    """Where pictures come from, at the pace at which they come."""

    def pictures(self, stop: Event) -> Iterator[NDArray[np.uint8]]:
        """BGR pictures, each when it is due, until the source ends or `stop` is set."""

    def close(self) -> None:
        """Let go of the source."""


class VideoCamera:
    """A video that behaves as a camera."""

    def __init__(self, sender: FrameSender, *, source: VideoSource) -> None:
        self.sender = sender
        self._source = source

    def run(
        self,
        *,
        until_s: float | None,
        stop: Event,
        started_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Publish pictures until the source ends, `until_s` after `started_s` (None: no limit), or `stop`."""
        for image in self._source.pictures(stop):
            if until_s is not None and monotonic() - started_s >= until_s:
                return
            self.sender.send(image)


def open_video(
    source: str, *, fps: float | None = None, loop: bool = False, max_side: int = 960
) -> FilmedVideo | LiveVideo:
    """Open a file's path, a stream's URL or a webcam's number; pictures have no side longer than `max_side` pixels.

    Raises:
        ThresholdError: there is no such file, it is not a video, or the stream or webcam cannot be opened.
    """
    _hush()
    if is_live(source):
        return LiveVideo(source, fps=fps, max_side=max_side)
    return FilmedVideo(Path(source), fps=fps, loop=loop, max_side=max_side)


def is_live(source: str) -> bool:
    """Whether `source` is a stream's URL or a webcam's number rather than a file."""
    return source.isdecimal() or "://" in source


def is_stream(source: str) -> bool:
    """Whether `source` is the URL of a stream that can be opened; one that is away may come yet."""
    return urlsplit(source).scheme in _STREAMS


def shown_name(source: str) -> str:
    """`source` as it may be shown and logged: without the password that RTSP addresses carry."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class FilmedVideo:
    """A video file, once or over and over. The same file gives the same pictures in the same order, however slow we are."""

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None = None,
        loop: bool = False,
        max_side: int = 960,
        pause_s: float = LOOP_PAUSE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause_s` of nothing lie between two runs of a loop: nobody jumps from where a film ends to where it begins."""
        if not path.is_file():
            raise ThresholdError("open video", str(path), "no such file")
        self.lost = False
        """A file does not go away."""
        self._path = path
        self._loop = loop
        self._pause_s = pause_s
        self._max_side = max_side
        self._monotonic = monotonic
        with VideoFile(path) as film:
            own_fps = film.fps
        self._thinned = fps is not None and fps < own_fps
        self.fps = fps if fps is not None and self._thinned else own_fps
        """Pictures per second given out: some of the file's, so that people walk at their own speed."""

    def pictures(self, stop: Event) -> Iterator[NDArray[np.uint8]]:
        """The file's pictures at its pace; see `VideoSource`."""
        while True:
            beat = Metronome(fps=self.fps, stop=stop, monotonic=self._monotonic)
            with VideoFile(self._path) as film:
                for image in self._chosen(film):
                    if not beat.wait():
                        return
                    yield _shrunk(image, self._max_side)
            if not self._loop or stop.wait(self._pause_s):
                return

    def close(self) -> None:
        """Nothing is open between two runs."""

    def _chosen(self, film: VideoFile) -> Iterator[NDArray[np.uint8]]:
        """The first picture of each of `fps` parts of every second, by the film's own time."""
        last = -1
        for at_s, image in film.frames():
            part = floor(at_s * self.fps + 1e-6)
            if part > last or not self._thinned:
                last = part
                yield image


class LiveVideo:
    """A stream or a webcam. It is read as fast as it comes and only the newest picture is kept; if it ends, it is reopened."""

    def __init__(
        self,
        source: str,
        *,
        fps: float | None = None,
        max_side: int = 960,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._fps = fps
        self._max_side = max_side
        self._monotonic = monotonic
        self._fresh = Condition()
        self._newest: NDArray[np.uint8] | None = None
        self._closing = Event()
        self.lost = False
        """Whether the source has gone and has not come back yet."""
        capture = _open_live(source)
        self._reader = Thread(target=self._read, args=(capture,), name="live-video", daemon=True)
        self._reader.start()

    def pictures(self, stop: Event) -> Iterator[NDArray[np.uint8]]:
        """The newest picture each time one is wanted; see `VideoSource`."""
        beat = Metronome(fps=self._fps, stop=stop, monotonic=self._monotonic) if self._fps else None
        while not stop.is_set():
            image = self._take()
            if image is None:
                continue
            yield _shrunk(image, self._max_side)
            if beat is not None and not beat.wait():
                return

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        self._reader.join(_OPEN_TIMEOUT_MS / 1000)

    def _take(self) -> NDArray[np.uint8] | None:
        with self._fresh:
            self._fresh.wait_for(lambda: self._newest is not None, timeout=0.2)
            image, self._newest = self._newest, None
            return image

    def _read(self, capture: cv2.VideoCapture | None) -> None:
        wait_s = 1.0
        while not self._closing.is_set():
            if capture is None:
                self._closing.wait(wait_s)
                wait_s = min(wait_s * 2, _REOPEN_LONGEST_S)
                capture = self._reopen()
                continue
            read, image = capture.read()
            if read:
                wait_s, self.lost = 1.0, False
                with self._fresh:
                    self._newest = np.asarray(image, np.uint8)
                    self._fresh.notify_all()
            else:
                self.lost = True
                log.warning("source_lost", source=shown_name(self._source))
                capture.release()
                capture = None
        if capture is not None:
            capture.release()

    def _reopen(self) -> cv2.VideoCapture | None:
        try:
            return _open_live(self._source)
        except ThresholdError as error:
            log.debug("source_still_away", reason=str(error))
            return None


def _open_live(source: str) -> cv2.VideoCapture:
    if source.isdecimal():
        capture = cv2.VideoCapture(int(source), cv2.CAP_ANY)
        remedy = "is a webcam plugged in, and may this user read it?"
    elif is_stream(source):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
        remedy = "does the stream play in a video player?"
    else:
        raise ThresholdError(
            "open stream", shown_name(source), f"its address must begin with one of {', '.join(_STREAMS)}"
        )
    if not capture.isOpened():
        raise ThresholdError("open stream" if "://" in source else "open webcam", shown_name(source), remedy)
    return capture


def _shrunk(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """`image` with its longer side at most `max_side` pixels."""
    height, width = image.shape[:2]
    share = max_side / max(height, width)
    if share >= 1:
        return image
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _hush() -> None:
    """Keep OpenCV and FFmpeg from writing to standard error: our own error is one line."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's AV_LOG_QUIET
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
