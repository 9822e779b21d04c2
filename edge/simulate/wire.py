"""Typed messages to what goes over the wire: which channel, which bytes."""

from __future__ import annotations

from dataclasses import dataclass

import msgpack

from edge.bus.topics import Channel
from edge.messages import (
    CameraDetections,
    KioskFeedback,
    MirrorMeasurement,
    MirrorSilhouette,
    PosTransaction,
)

__all__ = ["Encoded", "Spoken", "encode"]

Spoken = CameraDetections | MirrorMeasurement | MirrorSilhouette | PosTransaction | KioskFeedback
"""Messages with an effect: those a device keeps until they are acknowledged."""

_CHANNELS: dict[type[Spoken], Channel] = {
    CameraDetections: "detections",
    MirrorMeasurement: "measurement",
    MirrorSilhouette: "silhouette",
    PosTransaction: "transaction",
    KioskFeedback: "feedback",
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message as it is published; the topic's last level is `channel`."""

    channel: Channel
    payload: bytes

    def __repr__(self) -> str:
        return f"Encoded({self.channel}, {len(self.payload)} bytes)"


def encode(message: Spoken) -> Encoded:
    """`message` as a device publishes it: msgpack for silhouettes, whose masks are binary, JSON for everything else."""
    if isinstance(message, MirrorSilhouette):
        masks = {"front_png": message.front_png, "side_png": message.side_png}
        words = message.model_dump(mode="json", exclude=set(masks), exclude_none=True)
        return Encoded("silhouette", bytes(msgpack.packb({**words, **masks})))
    return Encoded(_CHANNELS[type(message)], message.model_dump_json(exclude_none=True).encode())
