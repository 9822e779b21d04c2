"""A video file, frame by frame, each with its time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ThresholdError

__all__ = ["VideoFile"]

_USUAL_FPS = 25.0


def _hush() -> None:
    """FFmpeg and OpenCV would tell their own story of a bad file on standard error; ours is one line."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


class VideoFile:
    """A video opened for reading once, from its first frame to its last. Use it in a `with` block."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            ThresholdError: it is no video that can be decoded.
        """
        _hush()
        self._path = path
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or self.width <= 0 or self.height <= 0:
            self.close()
            raise ThresholdError("open video", str(path), "it is no video that OpenCV can decode; MP4 with H.264 works")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(fps) if 0.1 <= fps <= 1000 else _USUAL_FPS
        self.frames_expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def frames(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Seconds since the beginning, strictly rising, and the picture (height, width, 3) in BGR.

        Raises:
            ThresholdError: not one frame can be decoded.
        """
        at_s = -1.0
        while True:
            found, image_bgr = self._capture.read()
            if not found:
                break
            stamped_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            at_s = stamped_s if at_s < stamped_s else max(at_s, -1 / self.fps) + 1 / self.fps
            yield at_s, np.asarray(image_bgr, np.uint8)
        if at_s < 0:
            raise ThresholdError("read video", str(self._path), "not one frame can be decoded; is the file complete?")
