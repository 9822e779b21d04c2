"""What a Frigate NVR would publish of scripted objects, after its documentation of `frigate/events`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Way = list[tuple[float, tuple[float, float]]]
"""Times, and where the foot point is then, in pixels of the detect stream."""

HEIGHT_PX, WIDTH_PX = 240, 90


def state(
    object_id: str,
    at_s: float,
    foot_xy: tuple[float, float],
    *,
    camera: str = "Front_Door",
    label: str = "person",
    false_positive: bool = False,
    ended: bool = False,
) -> dict[str, Any]:
    """One `before` or `after`, with all the fields that Frigate sends."""
    x, y = foot_xy
    box = [round(x - WIDTH_PX / 2), round(y - HEIGHT_PX), round(x + WIDTH_PX / 2), round(y)]
    return {
        "id": object_id,
        "camera": camera,
        "frame_time": at_s,
        "snapshot": {"frame_time": at_s, "box": box, "area": 12728, "region": [260, 46, 660, 446], "score": 0.77},
        "label": label,
        "sub_label": None,
        "top_score": 0.958984375,
        "false_positive": false_positive,
        "start_time": float(object_id.partition("-")[0]),
        "end_time": at_s + 5.2 if ended else None,
        "score": 0.7890625,
        "box": box,
        "area": WIDTH_PX * HEIGHT_PX,
        "ratio": round(WIDTH_PX / HEIGHT_PX, 3),
        "region": [264, 0, 667, 403],
        "active": True,
        "stationary": False,
        "motionless_count": 0,
        "position_changes": 2,
        "current_zones": ["driveway"],
        "entered_zones": ["yard", "driveway"],
        "has_clip": False,
        "has_snapshot": False,
        "attributes": {},
        "current_attributes": [],
        "pending_loitering": False,
        "max_severity": "alert",
        "current_estimated_speed": 0,
        "velocity_angle": 0,
    }


def events(object_id: str, way: Way, *, end: bool = True, **fields: Any) -> list[dict[str, Any]]:
    """The events of one object: `new` at its second place, updates, and `end` with the last place once more."""
    states = [state(object_id, at_s, foot_xy, **fields) for at_s, foot_xy in way]
    told = [{"type": "update", "before": one, "after": other} for one, other in pairwise(states)]
    if told:
        told[0] = {**told[0], "type": "new", "before": {**states[0], "false_positive": True}}
    if end:
        last = {**states[-1], "end_time": way[-1][0] + 5.2}
        told.append({"type": "end", "before": states[-1], "after": last})
    return told


def walk(begins_s: float, *, x: float = 640, from_y: float, to_y: float, seconds: float, looks: int) -> Way:
    """A straight way up or down the picture, seen `looks` times."""
    shares = [index / (looks - 1) for index in range(looks)]
    return [(begins_s + share * seconds, (x, from_y + share * (to_y - from_y))) for share in shares]
