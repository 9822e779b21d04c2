"""From a model's raw outputs to boxes and scores: one decoder for each family of detectors, found by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.camera.decoders_grid import FastestDet, NanoDet
from edge.camera.decoders_query import Query
from edge.camera.decoders_yolox import Yolox
from edge.errors import ModelRefused
from edge.models import ModelSpec

__all__ = ["DECODERS", "Decoder", "decoder_for"]


class Decoder(Protocol):
    """Reads one picture's raw outputs."""

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], *, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (n, 4) as x1, y1, x2, y2 in input pixels, and scores (n,), of at least `min_score`, unsuppressed.

        Raises:
            ModelRefused: the outputs are not those of the manifest's entry.
        """
        ...


DECODERS: dict[str, Callable[[ModelSpec], Decoder]] = {
    "fastestdet": FastestDet,
    "nanodet": NanoDet,
    "query": Query,
    "yolox": Yolox,
}


def decoder_for(spec: ModelSpec) -> Decoder:
    """The decoder that the manifest names.

    Raises:
        ModelRefused: no decoder of that name.
    """
    try:
        family = DECODERS[spec.decoder]
    except KeyError:
        known = ", ".join(sorted(DECODERS))
        raise ModelRefused("load model", spec.name, f"unknown decoder '{spec.decoder}'; known: {known}") from None
    return family(spec)
