"""Query detectors, which need no suppression: RT-DETR, D-FINE, DEIM, RF-DETR, DETR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.camera.grid import misfit
from edge.models import ModelSpec

__all__ = ["Query"]


class Query:
    """Outputs are boxes (1, q, 4) and classes (1, q, c); or boxes, scores (1, q) and labels (1, q), best first.

    A query may be a person and something else at once, as in the reference post-processing (a sigmoid for each class).
    Source: `RTDETRPostProcessor`, https://github.com/lyuwenyu/RT-DETR; `PostProcess`, https://github.com/roboflow/rf-detr
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._person = spec.output.person_class
        self._size_wh = np.array((spec.input.width, spec.input.height), np.float32)

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], *, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and scores, as the protocol says."""
        boxes, scores = self._boxes(outputs), self._scores(outputs)
        keep = np.flatnonzero(scores >= min_score)
        return self._corners(boxes[keep]), scores[keep]

    def _boxes(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        if len(outputs) not in {2, 3} or outputs[0].ndim != 3 or outputs[0].shape[::2] != (1, 4):
            raise misfit(
                self._spec, outputs, "boxes [1, q, 4] and classes [1, q, c], or boxes, scores and labels [1, q]"
            )
        return np.asarray(outputs[0][0])

    def _scores(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Each query's score as a person."""
        queries = outputs[0].shape[1]
        if len(outputs) == 3:
            if any(one.shape != (1, queries) for one in outputs[1:]):
                raise misfit(self._spec, outputs, "scores and labels [1, q] beside the boxes")
            return np.where(outputs[2][0] == self._person, outputs[1][0], np.float32(0))
        classes = outputs[1]
        if classes.ndim != 3 or classes.shape[:2] != (1, queries) or classes.shape[2] <= self._person:
            raise misfit(self._spec, outputs, f"classes [1, q, {self._person + 1} or more] beside the boxes")
        return self._activated(classes[0])

    def _activated(self, classes: NDArray[np.float32]) -> NDArray[np.float32]:
        person = classes[:, self._person]
        if self._spec.output.activation == "none":
            return person
        if self._spec.output.activation == "sigmoid":
            return np.asarray(0.5 * (1 + np.tanh(0.5 * person)), np.float32)
        risen = np.exp(classes - classes.max(axis=1, keepdims=True))
        return np.asarray(risen[:, self._person] / risen.sum(axis=1), np.float32)

    def _corners(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._spec.output.boxes == "pixel-xyxy":
            return boxes
        centre, half = boxes[:, :2] * self._size_wh, boxes[:, 2:] * self._size_wh / 2
        return np.concatenate((centre - half, centre + half), axis=1)
