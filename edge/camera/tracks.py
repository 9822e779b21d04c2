"""What is known of one track, what is said of it, and the rules by which tracks begin, become people and end."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import NamedTuple

from edge.camera.detector import LOW_SCORE

__all__ = [
    "ALIVE_S",
    "COST_LIMIT",
    "DOUBTFUL_AFTER_S",
    "DOUBTFUL_COST_LIMIT",
    "DOUBTFUL_OVERLAP",
    "EDGE_SHARE",
    "FADING_S",
    "MIN_SIDE_PX",
    "MOVED_HEIGHTS",
    "PART_AGE_S",
    "PART_PRICE",
    "PART_SHARE",
    "PLAIN_FOR_S",
    "PLAIN_SHARE",
    "SCORE_MEMORY",
    "SIZE_LEARNS",
    "STANDS_OUT_SHARE",
    "STILL_FOR_S",
    "SURE_S",
    "SURE_SCORE",
    "Register",
    "Track",
    "TrackRules",
    "TrackedPerson",
    "TrackerLimits",
    "doubtful_score",
]

COST_LIMIT = 2.4
DOUBTFUL_COST_LIMIT = 1.4
DOUBTFUL_OVERLAP = 0.2
DOUBTFUL_SHARE = 0.45
DOUBTFUL_AFTER_S = 0.6
"""A box of a low score, but of so much of the threshold, continues a track only where that track is expected, and
only one seen a moment ago: else a chair that is a little like a person holds on to whoever left it."""

PART_SHARE = 0.5
PART_PRICE = 3.0
PART_AGE_S = 1.0
"""A new box of which so much lies within a known person's may be that person's legs: it must bring so much more
evidence, for so long, or come apart."""

SURE_SCORE = 0.6
"""A detector that is so sure is believed in time, whatever the picture says of the place."""

PLAIN_SHARE = 0.1
STANDS_OUT_SHARE = 0.25
"""How much of a box shows something else than the empty place: below the first it is a thing of the place, from the
second on somebody came there. Between them it must have moved by itself."""

MOVED_HEIGHTS = 0.5
"""How far from where it was first found somebody has walked, in heights: by so much opposite sides of the box have moved
alike. Who is half hidden by somebody else, or comes out, has a box that shrinks and grows, of which one side stays."""

SURE_S, ALIVE_S = 0.3, 0.6
"""Where a box does not stand out, a sure one earns its score in the first time, one that moves in its place in the
second."""

FADING_S = 0.55
"""One that does neither takes away from what was believed, within about so long."""

PLAIN_FOR_S, STILL_FOR_S = 4.0, 30.0
"""What stood out, and has for so long been of the place, neither sure nor moving, is a thing that somebody went past; what
never stood out has the longer time."""

SCORE_MEMORY = 0.7
SIZE_LEARNS = 0.2

MIN_SIDE_PX = 2.0
EDGE_SHARE = 0.015
"""Detectors end a cut box a few pixels before the picture's edge."""


@dataclass(frozen=True, slots=True)
class TrackerLimits:
    """When a track counts as a person, and how long and how many are remembered."""

    confirm_evidence: float = 1.2
    """Sum of scores. Two good boxes, or three doubtful ones."""
    confirm_age_s: float = 0.15
    """A false alarm lasts a frame or two at 15 frames a second as well."""
    lost_s: float = 2.2
    """How long a track waits for its person behind a pillar, or behind somebody who walks the same way."""
    tentative_misses: int = 1
    max_tracks: int = 200
    max_gap_s: float = 4.0
    """After a longer silence everybody may be somebody else."""


class TrackedPerson(NamedTuple):
    """One track after a frame. Its id lives as long as the track and says nothing about the person.

    `box_xyxy` is in pixels of the picture; `foot_xy` is where the person stands, also where the picture's edge cuts
    the box. `score` is smoothed over the last few boxes. `missing_s` is 0 when a box was found in this very frame.
    `stands_out` says that the last box showed something else than the empty place, `walked` that the person has gone
    some way from where the track began. A named tuple: thirty of them in every frame are made in half the time of other
    frozen values.
    """

    track_id: int
    box_xyxy: tuple[float, float, float, float]
    foot_xy: tuple[float, float]
    confirmed: bool
    score: float
    missing_s: float
    at_edge: bool
    stands_out: bool = False
    walked: bool = False

    @property
    def height_px(self) -> float:
        """Height of the box."""
        return self.box_xyxy[3] - self.box_xyxy[1]


def doubtful_score(score_threshold: float) -> float:
    """What a box needs to be worth a thought, where one of `score_threshold` may begin a track."""
    return min(max(LOW_SCORE, DOUBTFUL_SHARE * score_threshold), score_threshold)


@dataclass(frozen=True, slots=True)
class TrackRules:
    """What holds for every track of one camera: the picture's size in pixels, thresholds, limits."""

    width_px: int
    height_px: int
    score_threshold: float
    limits: TrackerLimits

    @property
    def doubtful_score(self) -> float:
        """What a box needs to be worth a thought."""
        return doubtful_score(self.score_threshold)


@dataclass(slots=True)
class Register:
    """Counts tracks, whoever keeps them: the next id, and how many have become people."""

    next_id: int = 1
    confirmed_total: int = 0


@dataclass(slots=True)
class Track:
    """Everything that is remembered of one person in view: plain numbers.

    `stands_out` and `stood_out` say whether its box shows, and ever showed, something else than the empty place,
    `outside_s` when it last was more than a thing of the place, `walked` whether it has been away from where it began,
    `born_*`.
    `cut_*` say which sides of the picture cut the box; `whole_*` is the box's size while none did, else not-a-number.
    Then the filter: value and speed of centre and size, and their covariances, `point_*` of the centre's two
    coordinates and `size_*` of the size's.
    """

    track_id: int
    born_s: float
    seen_s: float
    evidence: float
    score: float
    x: float
    y: float
    w: float
    h: float
    point_var: float
    size_var: float
    point_speed_var: float
    size_speed_var: float
    point_cov: float = 0.0
    size_cov: float = 0.0
    speed_x: float = 0.0
    speed_y: float = 0.0
    speed_w: float = 0.0
    speed_h: float = 0.0
    misses: int = 0
    confirmed: bool = False
    stands_out: bool = False
    stood_out: bool = False
    walked: bool = False
    outside_s: float = 0.0
    born_x: float = 0.0
    born_y: float = 0.0
    born_w: float = 0.0
    born_h: float = 0.0
    cut_left: bool = False
    cut_top: bool = False
    cut_right: bool = False
    cut_bottom: bool = False
    whole_w: float = nan
    whole_h: float = nan
