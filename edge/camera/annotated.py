"""A video that shows what was counted, and nobody: people are pixelated before a frame is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.detector import Detections
from edge.camera.tracker import TrackedPerson
from edge.errors import ThresholdError
from edge.settings import LineSettings

__all__ = ["AnnotatedVideo", "pixelate"]

_CELLS = 7
"""Across the shorter side of a box: no face is left in so few cells."""
_MARGIN = 0.08
_GREEN, _GREY, _YELLOW, _BLACK = (80, 200, 80), (160, 160, 160), (0, 220, 255), (0, 0, 0)


def pixelate(image_bgr: NDArray[np.uint8], boxes_xyxy: Iterable[Sequence[float]]) -> None:
    """Turn each box, and a little around it, into a few flat cells, in place."""
    height, width = image_bgr.shape[:2]
    for x1, y1, x2, y2 in boxes_xyxy:
        wide, high = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
        left, right = max(0, int(x1 - wide)), min(width, int(np.ceil(x2 + wide)))
        top, bottom = max(0, int(y1 - high)), min(height, int(np.ceil(y2 + high)))
        if right - left < 2 or bottom - top < 2:
            continue
        cell = max(2, min(right - left, bottom - top) // _CELLS)
        cells = (max(1, (right - left) // cell), max(1, (bottom - top) // cell))
        few = cv2.resize(image_bgr[top:bottom, left:right], cells, interpolation=cv2.INTER_AREA)
        flat = cv2.resize(few, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
        image_bgr[top:bottom, left:right] = flat


class AnnotatedVideo:
    """An MP4 file being written: boxes, lines and counts over pixelated people."""

    def __init__(self, path: Path, *, fps: float, width: int, height: int, lines: Sequence[LineSettings]) -> None:
        """Begin the file.

        Raises:
            ThresholdError: it cannot be written.
        """
        self._lines = lines
        self._text_scale = max(0.5, height / 600)
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
        if not self._writer.isOpened():
            raise ThresholdError(
                "write annotated video", str(path), "it cannot be written; name an .mp4 file elsewhere"
            )

    def add(
        self,
        image_bgr: NDArray[np.uint8],
        *,
        found: Detections | None,
        people: Sequence[TrackedPerson],
        counts: Mapping[str, Mapping[str, int]],
    ) -> None:
        """Write one frame; `image_bgr` is drawn over. Doubtful boxes and lost tracks are pixelated as well."""
        if found is not None:
            pixelate(image_bgr, found.boxes_xyxy.tolist())
        pixelate(image_bgr, (person.box_xyxy for person in people))
        for person in people:
            if person.missing_s == 0:
                self._draw_person(image_bgr, person)
        for row, line in enumerate(self._lines):
            self._draw_line(image_bgr, line, counts[line.name], row=row)
        self._writer.write(image_bgr)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()

    def _draw_person(self, image_bgr: NDArray[np.uint8], person: TrackedPerson) -> None:
        x1, y1, x2, y2 = (round(edge) for edge in person.box_xyxy)
        colour = _GREEN if person.confirmed else _GREY
        cv2.rectangle(image_bgr, (x1, y1), (x2, y2), colour, 2)
        cv2.circle(image_bgr, (round(person.foot_xy[0]), round(person.foot_xy[1])), 4, colour, cv2.FILLED)
        self._write_text(image_bgr, str(person.track_id), (x1 + 4, y1 + round(28 * self._text_scale)), colour)

    def _draw_line(
        self, image_bgr: NDArray[np.uint8], line: LineSettings, count: Mapping[str, int], *, row: int
    ) -> None:
        height, width = image_bgr.shape[:2]
        begin, end = ((round(x * (width - 1)), round(y * (height - 1))) for x, y in line.points)
        cv2.arrowedLine(image_bgr, begin, end, _YELLOW, 2, tipLength=0.04)
        text = f"{line.name}: in {count['in']}  out {count['out']}"
        self._write_text(image_bgr, text, (8, round((row + 1) * 34 * self._text_scale)), _YELLOW)

    def _write_text(
        self, image_bgr: NDArray[np.uint8], text: str, at: tuple[int, int], colour: tuple[int, int, int]
    ) -> None:
        for ink, thickness in ((_BLACK, 3), (colour, 1)):
            cv2.putText(image_bgr, text, at, cv2.FONT_HERSHEY_SIMPLEX, self._text_scale, ink, thickness, cv2.LINE_AA)
