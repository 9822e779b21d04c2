"""A camera behind Frigate: named once, and its stream's size known or warned of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from edge.checkup import warnings_of
from edge.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINE = {"name": "door", "points": [[0.1, 0.6], [0.9, 0.6]]}


def settings(*cameras: dict[str, Any]) -> Settings:
    whole = [{"id": f"camera-{n}", "zone": "hall", "lines": [LINE], **one} for n, one in enumerate(cameras)]
    zones = [{"id": "hall", "notice_attested_on": NOON.date()}]
    return Settings.model_validate({"store": {"id": "shop"}, "zones": zones, "cameras": whole})


def test_two_cameras_cannot_be_the_same_one_of_frigate() -> None:
    """An event says only Frigate's name: it must mean one camera."""
    with pytest.raises(ValidationError, match="two cameras have the frigate_name 'Front_Door'"):
        settings({"frigate_name": "Front_Door"}, {"frigate_name": "Front_Door"})


@pytest.mark.parametrize("size", [[1280], [0, 720], [1280, 720, 3], ["wide", 720], [1280, 99_999]])
def test_a_size_is_two_sides(size: list[object]) -> None:
    """Width and height in pixels, of a size that a stream can have."""
    with pytest.raises(ValidationError, match="frigate_detect"):
        settings({"frigate_name": "Front_Door", "frigate_detect": size})


def test_a_size_that_is_assumed_is_warned_of() -> None:
    """`threshold check` says which size is taken; one that is set needs no word."""
    assumed, named = (
        settings({"frigate_name": "Front_Door"}),
        settings({"frigate_name": "A", "frigate_detect": [640, 360]}),
    )
    assert [word for word in warnings_of(assumed, at=NOON) if "frigate_detect" in word] == [
        "camera 'camera-0' has no frigate_detect: its boxes are taken for those of a 1280 x 720 stream"
    ]
    assert not any("frigate_detect" in word for word in warnings_of(named, at=NOON))
    assert (assumed.cameras[0].frigate_size, named.cameras[0].frigate_size) == ((1280, 720), (640, 360))
