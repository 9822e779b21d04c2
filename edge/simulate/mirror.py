"""A smart mirror: shoppers who want to know their size, as measurements and now and then as outlines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from uuid import UUID

import cv2
import numpy as np

from edge.messages import Device, MirrorMeasurement, MirrorSilhouette
from edge.simulate.stream import Opening, Saying, arrivals

__all__ = ["mirror_sayings"]

_GARMENTS = ("SHIRT-OXFORD", "JEANS-SLIM", "DRESS-MIDI", "COAT-WOOL")
_SILHOUETTES = 0.2
_MASK_WIDTH, _MASK_HEIGHT = 96, 192
# Share of the stature, and its spread: roughly those of the ANSUR II survey.
_BREADTHS = {"chest": (0.168, 0.010), "waist": (0.178, 0.014), "hip": (0.202, 0.010), "shoulder": (0.235, 0.009)}
_DEPTHS = {"chest": (0.142, 0.012), "waist": (0.132, 0.016), "hip": (0.142, 0.012)}


def mirror_sayings(
    opening: Opening, device: Device, *, until_s: float | None, per_minute: float = 6.0
) -> Iterator[Saying]:
    """The measurements and silhouettes of one mirror, in order of time, before `until_s`."""
    rng, next_id = opening.rng(device), opening.ids(device)
    for at_s in arrivals(rng, per_minute=per_minute, until_s=until_s):
        say = _silhouette if rng.random() < _SILHOUETTES else _measurement
        yield Saying(at_s, say(rng, message_id=next_id(), at=opening.moment(at_s)))


def _measurement(rng: Random, *, message_id: UUID, at: datetime) -> MirrorMeasurement:
    stature_mm = _stature_mm(rng)
    return MirrorMeasurement(
        message_id=message_id,
        captured_at=at,
        session=_session(rng),
        garment=rng.choice(_GARMENTS),
        stature_mm=stature_mm,
        breadths_mm={part: round(stature_mm * rng.gauss(*share)) for part, share in _BREADTHS.items()},
        depths_mm={part: round(stature_mm * rng.gauss(*share)) for part, share in _DEPTHS.items()},
    )


def _silhouette(rng: Random, *, message_id: UUID, at: datetime) -> MirrorSilhouette:
    stature_mm = _stature_mm(rng)
    return MirrorSilhouette(
        message_id=message_id,
        captured_at=at,
        session=_session(rng),
        garment=rng.choice(_GARMENTS),
        stature_mm=stature_mm,
        front_png=_mask_png(shoulder=rng.gauss(0.235, 0.009), hip=rng.gauss(0.202, 0.010), legs=2),
        side_png=_mask_png(shoulder=rng.gauss(0.142, 0.012), hip=rng.gauss(0.142, 0.012), legs=1),
    )


def _stature_mm(rng: Random) -> int:
    return round(min(max(rng.gauss(1690, 90), 1400), 2100))


def _session(rng: Random) -> str:
    return f"sim-{rng.getrandbits(64):016x}"


def _mask_png(*, shoulder: float, hip: float, legs: int) -> bytes:
    """An outline as a PNG in memory, white on black: head, trunk from shoulder to hip, legs (widths: shares of stature)."""
    mask = np.zeros((_MASK_HEIGHT, _MASK_WIDTH), np.uint8)
    middle, unit = _MASK_WIDTH // 2, _MASK_HEIGHT - 8
    upper, lower = (max(4, round(width * unit / 2)) for width in (shoulder, hip))
    shoulder_y, hip_y, floor_y = (4 + round(share * unit) for share in (0.18, 0.52, 1.0))
    head_y, neck = 4 + round(0.08 * unit), round(0.03 * unit)
    cv2.ellipse(mask, (middle, head_y), (round(0.045 * unit), round(0.08 * unit)), 0, 0, 360, 255, -1)
    cv2.rectangle(mask, (middle - neck, head_y), (middle + neck, shoulder_y), 255, -1)
    trunk = [
        (middle - upper, shoulder_y),
        (middle + upper, shoulder_y),
        (middle + lower, hip_y),
        (middle - lower, hip_y),
    ]
    cv2.fillPoly(mask, [np.array(trunk, np.int32)], 255)
    gap = 2 if legs == 2 else 0
    cv2.rectangle(mask, (middle - lower, hip_y), (middle - gap, floor_y), 255, -1)
    cv2.rectangle(mask, (middle + gap, hip_y), (middle + lower, floor_y), 255, -1)
    return bytes(cv2.imencode(".png", mask)[1])
