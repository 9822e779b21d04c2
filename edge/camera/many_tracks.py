"""The tracks of a crowd, all at once: numbers of one kind lie side by side in arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.camera.association import Boxes, assign, pair_costs, share_within
from edge.camera.detector import Detections
from edge.camera.kalman import Columns, Floats, KalmanBank
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

__all__ = ["ManyTracks"]

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]

_META = np.dtype(
    [
        ("track_id", np.int64),
        ("born_s", np.float64),
        ("seen_s", np.float64),
        ("evidence", np.float64),
        ("score", np.float64),
        ("misses", np.int64),
        ("confirmed", np.bool_),
        ("stands_out", np.bool_),
        ("stood_out", np.bool_),
        ("walked", np.bool_),
        ("outside_s", np.float64),
        ("cut", np.bool_, (2, 2)),
        ("whole_wh", np.float64, (2,)),
        ("born", np.float64, (4,)),
    ]
)
"""What is remembered of a track beside its filter. `cut`: which sides of the picture cut its box (left and top, right
and bottom); `whole_wh`: its size while none did, else not-a-number; `born`: centre and size at first."""

_PLAIN = tuple(name for name in _META.names or () if name not in ("cut", "whole_wh", "born"))
_NOBODY = np.empty(0, np.intp)


class ManyTracks:
    """The tracks of a crowd, in columns of arrays: one call of a few microseconds does each step for all of them."""

    def __init__(self, rules: TrackRules, register: Register) -> None:
        """`register` is shared with whoever keeps the same camera's tracks at other times."""
        size = np.array((rules.width_px, rules.height_px), np.float64)[:, None]
        self._size = size
        self._inner_edges = EDGE_SHARE * size, size - EDGE_SHARE * size
        self._score_threshold = rules.score_threshold
        self._doubtful_score = rules.doubtful_score
        self._limits = rules.limits
        self._register = register
        self._filter = KalmanBank()
        self._meta = np.empty(0, _META)

    def __len__(self) -> int:
        return len(self._meta)

    def hand_over(self) -> list[Track]:
        """Every track as plain numbers; none is left here."""
        meta = self._meta
        plain = (dict(zip(_PLAIN, row, strict=True)) for row in meta[list(_PLAIN)].tolist())
        records = [Track(**known, **box) for known, box in zip(plain, self._filter.records(), strict=True)]
        for record, cut, whole, born in zip(
            records, meta["cut"].reshape(-1, 4), meta["whole_wh"], meta["born"], strict=True
        ):
            record.cut_left, record.cut_top, record.cut_right, record.cut_bottom = cut.tolist()
            record.whole_w, record.whole_h = whole.tolist()
            record.born_x, record.born_y, record.born_w, record.born_h = born.tolist()
        self._keep(_NOBODY)
        return records

    def take_over(self, tracks: Sequence[Track]) -> None:
        """Go on with `tracks`; there are none here yet."""
        self._meta = np.zeros(len(tracks), _META)
        for name in _PLAIN:
            self._meta[name] = [getattr(track, name) for track in tracks]
        cut = [(track.cut_left, track.cut_top, track.cut_right, track.cut_bottom) for track in tracks]
        self._meta["cut"] = np.array(cut, np.bool_).reshape(-1, 2, 2)
        whole = [(track.whole_w, track.whole_h) for track in tracks]
        self._meta["whole_wh"] = np.array(whole, np.float64).reshape(-1, 2)
        born = [(track.born_x, track.born_y, track.born_w, track.born_h) for track in tracks]
        self._meta["born"] = np.array(born, np.float64).reshape(-1, 4)
        self._filter = KalmanBank.of(tracks)

    def advance(self, gap_s: float, *, now_s: float) -> None:
        """Drop who has been waited for too long, and move everybody `gap_s` on."""
        self._keep(np.flatnonzero(now_s - self._meta["seen_s"] <= self._limits.lost_s))
        if len(self._meta) and gap_s > 0:
            self._filter.predict(gap_s)

    def see(
        self, detections: Detections, *, at_s: float, shares: Sequence[float] | None = None
    ) -> tuple[TrackedPerson, ...]:
        """Take one frame's boxes and how much of each stands out, if that is known; return every track still alive."""
        known = np.ones(len(detections)) if shares is None else np.array(shares, np.float64)
        found, scores, known = self._usable(detections, known)
        high, plain = scores >= self._score_threshold, None
        if shares is not None:
            plain = (known < PLAIN_SHARE) & (scores < SURE_SCORE)
            high &= ~plain
        tracks, claimed = self._pair(found, high=high, plain=plain, now_s=at_s)
        self._meta["misses"] += 1
        self._see(tracks, found.take(claimed), scores[claimed])
        self._believe(tracks, scores[claimed], known[claimed], at_s)
        high[claimed] = False
        if shares is not None:
            # More than a thing of the place, nor one that others hide, which may be either.
            high &= (known >= PLAIN_SHARE) | (scores >= SURE_SCORE)
        self._begin(found, scores, known, new=np.flatnonzero(high), at_s=at_s)
        self._confirm(at_s)
        self._forget(at_s)
        return self._people(at_s)

    def _usable(self, detections: Detections, shares: Floats) -> tuple[Boxes, Floats, Floats]:
        """The boxes worth a thought, their scores and how much of each stands out (n,)."""
        corners = np.array(detections.boxes_xyxy.T, np.float64, order="C")
        found, scores = Boxes.between(corners[:2], corners[2:]), detections.scores.astype(np.float64)
        usable = (found.size >= MIN_SIDE_PX).all(axis=0) & (scores >= self._doubtful_score)
        if usable.all():
            return found, scores, shares
        return found.take(np.flatnonzero(usable)), scores[usable], shares[usable]

    def _pair(self, found: Boxes, *, high: Flags, plain: Flags | None, now_s: float) -> tuple[Rows, Rows]:
        """Tracks and the boxes they claim, pair by pair."""
        confirmed = self._meta["confirmed"]
        if not len(confirmed) or not len(high):
            return _NOBODY, _NOBODY
        predicted = Boxes.around(self._filter.centre, self._filter.size)
        cost, overlap = pair_costs(predicted, found, centre_var=self._filter.innovation_var()[0])
        if plain is not None and plain.any():
            # A thing of the place does not go on as somebody who walked there.
            cost[self._meta["walked"][:, None] & plain] = np.inf
        if confirmed.all() and high.all():
            return assign(cost, limit=COST_LIMIT)
        stages = _Stages(len(confirmed), len(high))
        # Confirmed tracks choose first: a false alarm of a moment ago must not take a person's box away.
        stages.choose(cost, tracks=confirmed, boxes=high, limit=COST_LIMIT)
        stages.choose(cost, tracks=~confirmed, boxes=high, limit=COST_LIMIT)
        recent = now_s - self._meta["seen_s"] <= DOUBTFUL_AFTER_S
        doubtful = np.where(overlap >= DOUBTFUL_OVERLAP, cost, np.inf)
        stages.choose(doubtful, tracks=recent, boxes=~high, limit=DOUBTFUL_COST_LIMIT)
        return stages.pairs()

    def _see(self, rows: Rows, boxes: Boxes, scores: Floats) -> None:
        if not len(rows):
            return
        # Rows ascend: where every track is seen they are all, in order, and nothing need be gathered.
        columns = rows if len(rows) < len(self._meta) else slice(None)
        self._filter.update(columns, np.array((boxes.centre, boxes.size)))
        meta = self._meta
        meta["misses"][columns] = 0
        smoothed = meta["score"]
        smoothed[columns] = SCORE_MEMORY * smoothed[columns] + (1 - SCORE_MEMORY) * scores
        self._measure(columns, boxes)

    def _believe(self, rows: Rows, scores: Floats, shares: Floats, at_s: float) -> None:
        """Take boxes as evidence for or against somebody."""
        if not len(rows):
            return
        columns = rows if len(rows) < len(self._meta) else slice(None)
        meta = self._meta
        if not meta["walked"][columns].all():
            meta["walked"][columns] |= self._has_walked(columns)
        if shares.min() >= STANDS_OUT_SHARE:
            meta["evidence"][columns] += scores
            meta["stands_out"][columns] = meta["stood_out"][columns] = True
            meta["outside_s"][columns] = meta["seen_s"][columns] = at_s
            return
        waited_s = np.maximum(at_s - meta["seen_s"][columns], 0.0)
        stands_out, outside, plain = shares >= STANDS_OUT_SHARE, shares >= PLAIN_SHARE, shares < PLAIN_SHARE
        sure = meta["score"][columns] >= SURE_SCORE
        rate = np.where(outside | sure, np.minimum(waited_s / np.where(sure, SURE_S, ALIVE_S), 1.0), 0.0)
        earned = scores * np.where(stands_out | (outside & meta["walked"][columns]), 1.0, rate)
        fades = np.where(plain & ~sure, np.exp(-waited_s / FADING_S), 1.0)
        meta["evidence"][columns] = fades * meta["evidence"][columns] + earned
        meta["stands_out"][columns] = stands_out
        meta["stood_out"][columns] |= stands_out
        meta["outside_s"][columns] = np.where(sure | ~plain, at_s, meta["outside_s"][columns])
        meta["seen_s"][columns] = at_s

    def _has_walked(self, columns: Columns) -> Flags:
        """Of which boxes opposite sides have both moved some way from where they were at first."""
        born, size = self._meta["born"][columns].T, self._filter.size[:, columns]
        way = np.abs(self._filter.centre[:, columns] - born[:2])
        if not (way > MOVED_HEIGHTS / 2 * size[1]).any():  # most often, and quickly said
            return np.zeros(way.shape[1], np.bool_)
        way -= np.abs(size - born[2:]) / 2
        np.maximum(way, 0, out=way)
        return np.asarray((way * way).sum(axis=0) >= (MOVED_HEIGHTS * np.maximum(size[1], born[3])) ** 2)

    def _begin(self, found: Boxes, scores: Floats, shares: Floats, *, new: Rows, at_s: float) -> None:
        room = self._limits.max_tracks - len(self._meta)
        if not len(new) or room <= 0:
            return
        best = new[np.argsort(-scores[new], kind="stable")[:room]]
        boxes = found.take(best)
        born = np.zeros(len(best), _META)
        born["track_id"] = self._register.next_id + np.arange(len(best))
        born["born_s"] = born["seen_s"] = at_s
        born["score"] = scores[best]
        born["stands_out"] = born["stood_out"] = shares[best] >= STANDS_OUT_SHARE
        born["evidence"] = np.where(born["stands_out"], scores[best], 0.0)
        born["outside_s"] = at_s
        born["born"] = np.concatenate((boxes.centre, boxes.size)).T
        born["whole_wh"] = np.nan
        self._register.next_id += len(best)
        first = len(self._meta)
        self._meta = np.concatenate((self._meta, born))
        self._filter.add(np.array((boxes.centre, boxes.size)))
        self._measure(slice(first, None), boxes)

    def _measure(self, columns: Columns, boxes: Boxes) -> None:
        """Note which sides of the picture cut the boxes, and the size of those that are whole."""
        near, far = self._inner_edges
        left_top, right_bottom = boxes.low <= near, boxes.high >= far
        cut = self._meta["cut"]
        cut[columns, 0], cut[columns, 1] = left_top.T, right_bottom.T
        whole_wh = self._meta["whole_wh"]
        before = whole_wh[columns].T
        known = np.where(np.isnan(before), boxes.size, before)
        smoothed = known + SIZE_LEARNS * (boxes.size - known)
        whole_wh[columns] = np.where(left_top | right_bottom, before, smoothed).T

    def _confirm(self, at_s: float) -> None:
        meta, limits = self._meta, self._limits
        ready = ~meta["confirmed"]
        if not ready.any():
            return
        age_s = at_s - meta["born_s"]
        ready &= (meta["evidence"] >= limits.confirm_evidence) & (age_s >= limits.confirm_age_s)
        if not ready.any():
            return
        proven = (meta["evidence"] >= PART_PRICE * limits.confirm_evidence) & (age_s >= PART_AGE_S)
        ready &= proven | ~self._is_part(at_s)
        meta["confirmed"] |= ready
        self._register.confirmed_total += int(ready.sum())

    def _is_part(self, at_s: float) -> Flags:
        """Which tracks lie for a good share within a confirmed person's box, or a better box of this frame."""
        meta, boxes = self._meta, Boxes.around(self._filter.centre, self._filter.size)
        inside = share_within(boxes, boxes) >= PART_SHARE
        seen = meta["seen_s"] == at_s
        area = boxes.size[0] * boxes.size[1]
        known = seen & meta["confirmed"]
        better = seen[None, :] & (area[None, :] > area[:, None])
        np.fill_diagonal(inside, False)
        return np.asarray((inside & (known[None, :] | better)).any(axis=1))

    def _forget(self, at_s: float) -> None:
        meta, centre = self._meta, self._filter.centre
        missed = meta["misses"] > 0
        left = ~missed & (at_s - meta["outside_s"] > np.where(meta["stood_out"], PLAIN_FOR_S, STILL_FOR_S))
        if not missed.any() and not left.any():
            return
        gone = left | (missed & ((centre < 0) | (centre > self._size)).any(axis=0))
        doubtful = ~meta["confirmed"] & (meta["misses"] > self._limits.tentative_misses)
        self._keep(np.flatnonzero(~(gone | doubtful)))

    def _keep(self, rows: Rows) -> None:
        if len(rows) < len(self._meta):
            self._meta = self._meta[rows]
            self._filter.keep(rows)

    def _people(self, at_s: float) -> tuple[TrackedPerson, ...]:
        meta, boxes = self._meta, Boxes.around(self._filter.centre, self._filter.size)
        cut = meta["cut"].any(axis=(1, 2))
        feet = self._feet(boxes) if cut.any() else np.array((boxes.centre[0], boxes.high[1]))
        return tuple(
            map(
                TrackedPerson,
                meta["track_id"].tolist(),
                zip(*boxes.low.tolist(), *boxes.high.tolist(), strict=True),
                zip(*feet.tolist(), strict=True),
                meta["confirmed"].tolist(),
                meta["score"].tolist(),
                (at_s - meta["seen_s"]).tolist(),
                np.asarray(cut).tolist(),
                meta["stands_out"].tolist(),
                meta["walked"].tolist(),
            )
        )

    def _feet(self, boxes: Boxes) -> Floats:
        """Bottom centre (2, n) of the whole person: a box cut by the picture's edge is made up to its earlier size."""
        (left, _), (right, bottom) = self._meta["cut"].transpose(1, 2, 0)
        whole_w, whole_h = self._meta["whole_wh"].T
        x = boxes.centre[0]
        x = np.where(right & ~left, np.fmax(x, boxes.low[0] + whole_w / 2), x)
        x = np.where(left & ~right, np.fmin(x, boxes.high[0] - whole_w / 2), x)
        y = np.where(bottom, np.fmax(boxes.high[1], boxes.low[1] + whole_h), boxes.high[1])
        return np.stack((x, y))


class _Stages:
    """Tracks choose boxes in turns; what one stage has paired is out of the next."""

    def __init__(self, tracks: int, boxes: int) -> None:
        self._waiting = np.ones(tracks, np.bool_)
        self._box_of = np.full(tracks, -1, np.intp)
        self._free = np.ones(boxes, np.bool_)

    def choose(self, cost: Floats, *, tracks: Flags, boxes: Flags, limit: float) -> None:
        """Pair the best of `tracks` and `boxes` that are still to be had."""
        rows, columns = np.flatnonzero(tracks & self._waiting), np.flatnonzero(boxes & self._free)
        if not len(rows) or not len(columns):
            return
        row, column = assign(cost[rows[:, None], columns], limit=limit)
        self._box_of[rows[row]] = columns[column]
        self._waiting[rows[row]] = False
        self._free[columns[column]] = False

    def pairs(self) -> tuple[Rows, Rows]:
        """Tracks in order, and their boxes."""
        tracks = np.flatnonzero(~self._waiting)
        return tracks, self._box_of[tracks]
