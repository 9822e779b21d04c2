"""People in a picture: an ONNX model, its decoder, and the suppression of boxes that mean the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.decoders import decoder_for
from edge.camera.input_tensor import placer_for
from edge.camera.runtime import Runtime
from edge.models import LoadedModel, ModelInput
from edge.settings import Provider

__all__ = ["LOW_SCORE", "Detections", "Detector"]

LOW_SCORE = 0.1
"""Boxes below this are noise; between it and the score threshold they may only continue a track."""

MAX_PEOPLE = 300
"""Boxes kept of one picture, best first: a broken model must not cost the tracker an hour."""


@dataclass(frozen=True, slots=True)
class Detections:
    """People found in one picture: `boxes_xyxy` float32 (n, 4), pixels of that picture; `scores` float32 (n,)."""

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def feet_xy(self) -> NDArray[np.float32]:
        """Bottom centre of each box (n, 2)."""
        feet = np.empty((len(self), 2), np.float32)
        feet[:, 0] = (self.boxes_xyxy[:, 0] + self.boxes_xyxy[:, 2]) / 2
        feet[:, 1] = self.boxes_xyxy[:, 3]
        return feet

    @classmethod
    def of(cls, boxes_xyxy: Sequence[Sequence[float]], scores: Sequence[float]) -> Detections:
        """Detections from plain numbers."""
        return cls(np.asarray(boxes_xyxy, np.float32).reshape(-1, 4), np.asarray(scores, np.float32))


class Detector:
    """One model ready to run. It reuses its buffers: one thread uses it."""

    def __init__(
        self,
        model: LoadedModel,
        *,
        threads: int = 1,
        score_threshold: float | None = None,
        providers: Sequence[Provider] = ("cpu",),
    ) -> None:
        """`score_threshold` overrides the manifest's; it is what a box needs to begin a track.

        Raises:
            ModelRefused: the runtime cannot load the model, or the model is not what the manifest says.
        """
        self.spec = model.spec
        self.score_threshold = model.spec.score_threshold if score_threshold is None else score_threshold
        self._decoder = decoder_for(model.spec)
        self._placer = placer_for(model.spec.input)
        self._runtime = Runtime(model, threads=threads, providers=providers)

    @property
    def input(self) -> ModelInput:
        """The picture the model wants, so that a JPEG need not be decoded larger."""
        return self.spec.input

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """People in `image_bgr` (height, width, 3), every box of at least `LOW_SCORE` after suppression."""
        tensor, ratio = self._placer.place(image_bgr)
        outputs = self._runtime.run(tensor)
        boxes_xyxy, scores = self._decoder.decode(outputs, min_score=min(LOW_SCORE, self.score_threshold))
        keep = _suppress(boxes_xyxy, scores, iou_threshold=self.spec.iou_threshold)
        inside = boxes_xyxy[keep]
        if len(inside):
            height, width = image_bgr.shape[:2]
            inside /= ratio
            np.clip(inside, 0, np.array((width, height, width, height), np.float32), out=inside)
        return Detections(inside, scores[keep])


def _suppress(
    boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], *, iou_threshold: float
) -> NDArray[np.intp]:
    if not len(scores):
        return np.empty(0, np.intp)
    corner_and_size = boxes_xyxy.copy()
    corner_and_size[:, 2:] -= corner_and_size[:, :2]
    # OpenCV would take arrays as well, and read them row by row at three times the cost.
    kept = cv2.dnn.NMSBoxes(corner_and_size.tolist(), scores.tolist(), 0.0, iou_threshold)
    best = np.asarray(kept, np.intp).reshape(-1)[:MAX_PEOPLE]
    return best[np.isfinite(boxes_xyxy[best]).all(axis=1)]
