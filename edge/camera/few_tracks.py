"""The tracks of a few people, one by one, in plain numbers.

It does what `many_tracks` does, and a test holds the two together. Between two inferences nothing is left in the
processor's caches; then a short loop of plain arithmetic is done before array code has been fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, isnan, log, sqrt

from edge.camera.association import (
    GATE_STD,
    HEIGHT_PRICE,
    LOG_SIZE_RATIO,
    SURE_OVERLAP,
    SURPRISE_CAP,
    SURPRISE_PRICE,
    assign_plain,
)
from edge.camera.detector import Detections
from edge.camera.kalman import ACCELERATION_VAR, FIRST_SPEED_VAR, LEAST_SIDE_PX, MEASUREMENT_VAR, SIZE_SPEED_FADES_S
from edge.camera.tracks import (
    ALIVE_S,
    COST_LIMIT,
    DOUBTFUL_AFTER_S,
    DOUBTFUL_COST_LIMIT,
    DOUBTFUL_OVERLAP,
    EDGE_SHARE,
    FADING_S,
    MIN_SIDE_PX,
    MOVED_HEIGHTS,
    PART_AGE_S,
    PART_PRICE,
    PART_SHARE,
    PLAIN_FOR_S,
    PLAIN_SHARE,
    SCORE_MEMORY,
    SIZE_LEARNS,
    STANDS_OUT_SHARE,
    STILL_FOR_S,
    SURE_S,
    SURE_SCORE,
    Register,
    Track,
    TrackedPerson,
    TrackRules,
)

__all__ = ["FewTracks"]

_POINT_NOISE, _SIZE_NOISE = MEASUREMENT_VAR.ravel().tolist()
_POINT_ACCELERATION, _SIZE_ACCELERATION = ACCELERATION_VAR.ravel().tolist()
_POINT_FIRST_SPEED, _SIZE_FIRST_SPEED = FIRST_SPEED_VAR.ravel().tolist()
_GATE_SQUARED = GATE_STD**2


@dataclass(slots=True)
class _Box:
    """One box of a frame: corners, centre, size, score, how much of it stands out; `free` until a track claims it."""

    left: float
    top: float
    right: float
    bottom: float
    x: float
    y: float
    w: float
    h: float
    score: float
    share: float
    high: bool
    plain: bool
    free: bool = True


class FewTracks:
    """Up to a dozen tracks."""

    def __init__(self, rules: TrackRules, register: Register) -> None:
        """`register` is shared with whoever keeps the same camera's tracks at other times."""
        self._limits = rules.limits
        self._width, self._height = float(rules.width_px), float(rules.height_px)
        self._left, self._top = EDGE_SHARE * self._width, EDGE_SHARE * self._height
        self._right, self._bottom = self._width - self._left, self._height - self._top
        self._score_threshold, self._doubtful_score = rules.score_threshold, rules.doubtful_score
        self._register = register
        self._tracks: list[Track] = []

    def __len__(self) -> int:
        return len(self._tracks)

    def hand_over(self) -> list[Track]:
        """Every track; none is left here."""
        tracks, self._tracks = self._tracks, []
        return tracks

    def take_over(self, tracks: Sequence[Track]) -> None:
        """Go on with `tracks`; there are none here yet."""
        self._tracks = list(tracks)

    def advance(self, gap_s: float, *, now_s: float) -> None:
        """Drop who has been waited for too long, and move everybody `gap_s` on."""
        self._tracks = [track for track in self._tracks if now_s - track.seen_s <= self._limits.lost_s]
        if gap_s > 0:
            fades = exp(-gap_s / SIZE_SPEED_FADES_S)
            for track in self._tracks:
                _predict(track, gap_s, fades=fades)

    def see(
        self, detections: Detections, *, at_s: float, shares: Sequence[float] | None = None
    ) -> tuple[TrackedPerson, ...]:
        """Take one frame's boxes and how much of each stands out, if that is known; return every track still alive."""
        boxes = self._usable(detections, [1.0] * len(detections) if shares is None else shares)
        seen = self._pair(boxes, at_s)
        for track in self._tracks:
            track.misses += 1
        for track, box in seen:
            self._see(track, box, at_s)
        self._begin([box for box in boxes if box.free and box.high and _may_begin(box)], at_s)
        self._confirm(at_s)
        self._tracks = [track for track in self._tracks if self._stays(track, at_s)]
        return tuple([_person(track, at_s) for track in self._tracks])

    def _usable(self, detections: Detections, shares: Sequence[float]) -> list[_Box]:
        """The boxes worth a thought."""
        boxes = []
        for (left, top, right, bottom), score, share in zip(
            detections.boxes_xyxy.tolist(), detections.scores.tolist(), shares, strict=True
        ):
            w, h = right - left, bottom - top
            if w >= MIN_SIDE_PX and h >= MIN_SIDE_PX and score >= self._doubtful_score:
                plain = share < PLAIN_SHARE and score < SURE_SCORE
                high = score >= self._score_threshold and not plain
                boxes.append(_Box(left, top, right, bottom, left + w / 2, top + h / 2, w, h, score, share, high, plain))
        return boxes

    def _pair(self, boxes: list[_Box], at_s: float) -> list[tuple[Track, _Box]]:
        """Tracks and the boxes they claim."""
        high, low = [box for box in boxes if box.high], [box for box in boxes if not box.high]
        # Confirmed tracks choose first: a false alarm of a moment ago must not take a person's box away.
        seen = _choose([track for track in self._tracks if track.confirmed], high)
        seen += _choose([track for track in self._tracks if not track.confirmed], high)
        if low:
            taken = {track.track_id for track, _ in seen}
            recent = [one for one in self._tracks if at_s - one.seen_s <= DOUBTFUL_AFTER_S]
            seen += _choose([one for one in recent if one.track_id not in taken], low, doubtful=True)
        return seen

    def _see(self, track: Track, box: _Box, at_s: float) -> None:
        _correct(track, box)
        track.score = SCORE_MEMORY * track.score + (1 - SCORE_MEMORY) * box.score
        _believe(track, box, at_s)
        track.seen_s, track.misses = at_s, 0
        self._measure(track, box)

    def _begin(self, boxes: list[_Box], at_s: float) -> None:
        room = max(0, self._limits.max_tracks - len(self._tracks))
        for box in sorted(boxes, key=lambda box: -box.score)[:room]:
            square, stands_out = max(box.w, box.h) ** 2, box.share >= STANDS_OUT_SHARE
            track = Track(
                self._register.next_id,
                at_s,
                at_s,
                box.score if stands_out else 0.0,
                box.score,
                box.x,
                box.y,
                box.w,
                box.h,
                _POINT_NOISE * square,
                _SIZE_NOISE * square,
                _POINT_FIRST_SPEED * square,
                _SIZE_FIRST_SPEED * square,
                stands_out=stands_out,
                stood_out=stands_out,
                outside_s=at_s,
                born_x=box.x,
                born_y=box.y,
                born_w=box.w,
                born_h=box.h,
            )
            self._register.next_id += 1
            self._measure(track, box)
            self._tracks.append(track)

    def _measure(self, track: Track, box: _Box) -> None:
        """Note which sides of the picture cut the box, and its size where it is whole."""
        track.cut_left, track.cut_right = box.left <= self._left, box.right >= self._right
        track.cut_top, track.cut_bottom = box.top <= self._top, box.bottom >= self._bottom
        if not (track.cut_left or track.cut_right):
            known = box.w if isnan(track.whole_w) else track.whole_w
            track.whole_w = known + SIZE_LEARNS * (box.w - known)
        if not (track.cut_top or track.cut_bottom):
            known = box.h if isnan(track.whole_h) else track.whole_h
            track.whole_h = known + SIZE_LEARNS * (box.h - known)

    def _confirm(self, at_s: float) -> None:
        limits, ready = self._limits, []
        for track in self._tracks:
            if track.confirmed or track.evidence < limits.confirm_evidence:
                continue
            age_s = at_s - track.born_s
            proven = track.evidence >= PART_PRICE * limits.confirm_evidence and age_s >= PART_AGE_S
            if age_s >= limits.confirm_age_s and (proven or not _is_part(track, self._tracks, at_s)):
                ready.append(track)
        for track in ready:
            track.confirmed = True
        self._register.confirmed_total += len(ready)

    def _stays(self, track: Track, at_s: float) -> bool:
        """Whether somebody who was not seen now is still waited for, and who was seen is still somebody."""
        if not track.misses:
            return at_s - track.outside_s <= (PLAIN_FOR_S if track.stood_out else STILL_FOR_S)
        inside = 0 <= track.x <= self._width and 0 <= track.y <= self._height
        return inside and (track.confirmed or track.misses <= self._limits.tentative_misses)


def _may_begin(box: _Box) -> bool:
    """Whether a box is more than a thing of the place, or one that others hide, which may be either."""
    return box.share >= PLAIN_SHARE or box.score >= SURE_SCORE


def _has_walked(track: Track) -> bool:
    """Whether opposite sides of the box have both moved some way from where they were at first."""
    across = max(abs(track.x - track.born_x) - abs(track.w - track.born_w) / 2, 0.0)
    down = max(abs(track.y - track.born_y) - abs(track.h - track.born_h) / 2, 0.0)
    way = MOVED_HEIGHTS * max(track.h, track.born_h)
    return across * across + down * down >= way * way


def _believe(track: Track, box: _Box, at_s: float) -> None:
    """Take `box` as evidence for or against somebody; the track's score has it already, `seen_s` has not."""
    waited_s = max(at_s - track.seen_s, 0.0)
    track.walked = track.walked or _has_walked(track)
    track.stands_out = box.share >= STANDS_OUT_SHARE
    track.stood_out = track.stood_out or track.stands_out
    outside, sure = box.share >= PLAIN_SHARE, track.score >= SURE_SCORE
    plain = box.share < PLAIN_SHARE
    if sure or not plain:
        track.outside_s = at_s
    if track.stands_out or (outside and track.walked):
        track.evidence += box.score
    elif outside or sure:
        track.evidence += box.score * min(waited_s / (SURE_S if sure else ALIVE_S), 1.0)
    elif plain:
        track.evidence *= exp(-waited_s / FADING_S)


def _predict(track: Track, dt_s: float, *, fades: float) -> None:
    """Move `track` on."""
    square = max(track.w, track.h) ** 2
    track.x += dt_s * track.speed_x
    track.y += dt_s * track.speed_y
    track.w = max(track.w + dt_s * track.speed_w, LEAST_SIDE_PX)
    track.h = max(track.h + dt_s * track.speed_h, LEAST_SIDE_PX)
    track.speed_w *= fades
    track.speed_h *= fades
    noise, var, cov = _POINT_ACCELERATION * square * dt_s, track.point_speed_var, track.point_cov
    track.point_var += dt_s * (2 * cov + dt_s * (var + noise / 3))
    track.point_cov = cov + dt_s * (var + noise / 2)
    track.point_speed_var = var + noise
    noise, var, cov = _SIZE_ACCELERATION * square * dt_s, track.size_speed_var, track.size_cov
    track.size_var += dt_s * (2 * cov + dt_s * (var + noise / 3))
    track.size_cov = cov + dt_s * (var + noise / 2)
    track.size_speed_var = var + noise


def _correct(track: Track, box: _Box) -> None:
    """Correct `track` by the box measured for it."""
    square = max(track.w, track.h) ** 2
    innovation = track.point_var + _POINT_NOISE * square
    gain, gain_speed = track.point_var / innovation, track.point_cov / innovation
    off_x, off_y = box.x - track.x, box.y - track.y
    track.x += gain * off_x
    track.y += gain * off_y
    track.speed_x += gain_speed * off_x
    track.speed_y += gain_speed * off_y
    track.point_speed_var -= gain_speed * track.point_cov
    track.point_var *= 1 - gain
    track.point_cov *= 1 - gain
    innovation = track.size_var + _SIZE_NOISE * square
    gain, gain_speed = track.size_var / innovation, track.size_cov / innovation
    off_w, off_h = box.w - track.w, box.h - track.h
    track.w += gain * off_w
    track.h += gain * off_h
    track.speed_w += gain_speed * off_w
    track.speed_h += gain_speed * off_h
    track.size_speed_var -= gain_speed * track.size_cov
    track.size_var *= 1 - gain
    track.size_cov *= 1 - gain


def _choose(tracks: list[Track], boxes: list[_Box], *, doubtful: bool = False) -> list[tuple[Track, _Box]]:
    """The best pairs of `tracks` and `boxes` that are still free."""
    free = [box for box in boxes if box.free]
    if not tracks or not free:
        return []
    limit, overlap = (DOUBTFUL_COST_LIMIT, DOUBTFUL_OVERLAP) if doubtful else (COST_LIMIT, 0.0)
    costs = [[_cost(track, box, least_overlap=overlap) for box in free] for track in tracks]
    pairs = [(tracks[row], free[column]) for row, column in assign_plain(costs, limit=limit)]
    for _, box in pairs:
        box.free = False
    return pairs


def _cost(track: Track, box: _Box, *, least_overlap: float) -> float:
    """What `association.pair_costs` says of this one pair; infinite where the two overlap less than `least_overlap`,
    or where a thing of the place would go on as somebody who came there.
    """
    if track.walked and box.plain:
        return inf
    off_x, off_y = box.x - track.x, box.y - track.y
    square = off_x * off_x + off_y * off_y
    w, h = track.w, track.h
    var = track.point_var + _POINT_NOISE * max(w, h) ** 2
    across = min(box.w, w, (box.w + w) / 2 - abs(off_x))
    down = min(box.h, h, (box.h + h) / 2 - abs(off_y))
    common = across * down if across > 0 and down > 0 else 0.0
    overlap = common / max(w * h + box.w * box.h - common, 1e-9)
    near = square <= _GATE_SQUARED * var
    if overlap < least_overlap or not (near or overlap >= SURE_OVERLAP):
        return inf
    taller = abs(log(box.h / h))
    if overlap < SURE_OVERLAP and max(taller, abs(log(box.w / w))) > LOG_SIZE_RATIO:
        return inf
    surprise = min(sqrt(square / var), SURPRISE_CAP)
    return 1 - overlap + sqrt(square) / max(h, box.h) + SURPRISE_PRICE * surprise + HEIGHT_PRICE * taller


def _is_part(track: Track, others: Iterable[Track], at_s: float) -> bool:
    """Whether `track` lies for a good share within a confirmed person's box, or a better box of this frame."""
    area = track.w * track.h
    for other in others:
        if other is track or other.seen_s != at_s:
            continue
        if other.confirmed or other.w * other.h > area:
            across = min(track.w, other.w, (track.w + other.w) / 2 - abs(track.x - other.x))
            down = min(track.h, other.h, (track.h + other.h) / 2 - abs(track.y - other.y))
            if across > 0 and down > 0 and across * down / max(area, 1e-9) >= PART_SHARE:
                return True
    return False


def _person(track: Track, at_s: float) -> TrackedPerson:
    half_w, half_h = track.w / 2, track.h / 2
    left, top, right, bottom = track.x - half_w, track.y - half_h, track.x + half_w, track.y + half_h
    foot_x, foot_y = track.x, bottom
    # A box cut by the picture's edge is made up to its earlier size; a size that is not known moves nothing.
    if track.cut_right and not track.cut_left and left + track.whole_w / 2 > foot_x:
        foot_x = left + track.whole_w / 2
    if track.cut_left and not track.cut_right and right - track.whole_w / 2 < foot_x:
        foot_x = right - track.whole_w / 2
    if track.cut_bottom and top + track.whole_h > foot_y:
        foot_y = top + track.whole_h
    cut = track.cut_left or track.cut_right or track.cut_top or track.cut_bottom
    return TrackedPerson(
        track.track_id,
        (left, top, right, bottom),
        (foot_x, foot_y),
        track.confirmed,
        track.score,
        at_s - track.seen_s,
        cut,
        track.stands_out,
        track.walked,
    )
