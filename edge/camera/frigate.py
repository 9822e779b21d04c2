"""People behind a Frigate NVR: its events, which come when something has changed, as the even beats that a tracker wants.

Frigate tells of an object when it is sure of it, when it has moved some way or has a better picture, when it stands still,
and when it is gone. In between somebody may cross the shop. Two looks at one object are therefore joined by a straight
walk, and beats are given out once everybody's whereabouts are known, or when a patience is over; then whoever was not
heard of is held where last seen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from math import hypot

from edge.messages import FrigateEvent, FrigateObject

__all__ = ["Beat", "FrigatePeople"]

BEAT_S = 0.2
PATIENCE_S = 8.0
"""Frigate publishes a better picture every five seconds at most. Windows keep open for longer than this."""

FORGOTTEN_S = 90.0
"""Frigate says something of every object at least once a minute; whoever it no longer mentions went without an `end`."""

LINGER_S = 2.4
"""Beats after the last person has gone: a tracker waits for 2.2 s, and then knows that he has."""

WALK_HEIGHTS_S = 1.5
"""How fast, in his own heights, a held person is walked to where he is seen again. A tracker can follow that."""

OLDEST_S = 300.0
EARLIEST_S = 2.0
"""An NVR's clock is believed from five minutes ago to two seconds ahead, as a camera's is."""

PERSON = "person"
_MOST_PEOPLE = 200
_MOST_LOOKS = 500
_REMEMBERED = 2000

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Beat:
    """Who was where at `at_s`: a box (left, top, right, bottom) in pixels of Frigate's detect stream for each person."""

    at_s: float
    boxes_xyxy: tuple[_Box, ...]


class _Walk:
    """What is known of one person's way: looks at him, in order of time."""

    __slots__ = ("_boxes", "_times", "ended", "heard_s")

    def __init__(self, at_s: float, box: _Box) -> None:
        self._times = [at_s]
        self._boxes = [box]
        self.ended = False
        self.heard_s = at_s

    @property
    def first_s(self) -> float:
        return self._times[0]

    @property
    def last_s(self) -> float:
        return self._times[-1]

    def look(self, at_s: float, box: _Box, *, told_s: float | None) -> None:
        """Add a look; one that lies before `told_s`, up to which beats have been given out, comes too late to matter."""
        place = bisect_left(self._times, at_s)
        if place < len(self._times):
            if self._times[place] != at_s and (told_s is None or at_s > told_s):
                self._times.insert(place, at_s)
                self._boxes.insert(place, box)
            return
        if told_s is not None and self.last_s < told_s:
            # He was held where last seen while beats went out: let him walk on from there.
            held = self._boxes[-1]
            self._append(told_s, held)
            at_s = max(at_s, told_s + min(PATIENCE_S, _heights_between(held, box) / WALK_HEIGHTS_S))
        self._append(at_s, box)

    def at(self, at_s: float) -> _Box | None:
        """Where he was: between two looks on the straight way, after the last one there until he has ended."""
        if at_s < self.first_s or (self.ended and at_s > self.last_s):
            return None
        place = bisect_right(self._times, at_s)
        if place == len(self._times):
            return self._boxes[-1]
        before_s, after_s = self._times[place - 1], self._times[place]
        share = (at_s - before_s) / (after_s - before_s)
        left, top, right, bottom = (
            a + share * (b - a) for a, b in zip(self._boxes[place - 1], self._boxes[place], strict=True)
        )
        return left, top, right, bottom

    def forget_before(self, at_s: float) -> None:
        """Keep the look before `at_s`, from which the way goes on, and what comes after it."""
        spare = max(0, bisect_right(self._times, at_s) - 1, len(self._times) - _MOST_LOOKS)
        del self._times[:spare], self._boxes[:spare]

    def _append(self, at_s: float, box: _Box) -> None:
        self._times.append(at_s)
        self._boxes.append(box)


class FrigatePeople:
    """The people that a Frigate sees through one camera. Time is the receiver's; memory is bounded."""

    def __init__(self) -> None:
        self._walks: dict[str, _Walk] = {}
        self._told_s: float | None = None
        self._news_s = 0.0
        self._gone_s = 0.0
        self._shift_s = 0.0
        self._heard: deque[tuple[str, str, float]] = deque(maxlen=_REMEMBERED)
        self._over: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def in_view(self) -> int:
        """How many people are in view, as far as Frigate has said."""
        return sum(not walk.ended for walk in self._walks.values())

    def take(self, event: FrigateEvent, *, received_s: float) -> list[Beat]:
        """Hear an event; the beats that are certain now, in order of time. One that was heard before gives none."""
        after = event.after
        news = (after.id, event.type, after.frame_time)
        if news in self._heard:
            return []
        self._heard.append(news)
        self._believe(after.frame_time, received_s)
        # Patience goes by the NVR's own news: a backlog that comes all at once is played as it was.
        self._news_s = max(self._news_s, after.frame_time + self._shift_s)
        if after.label == PERSON and after.id not in self._over:
            self._hear(event)
        return self._beats(received_s)

    def forget(self) -> None:
        """Nobody is remembered."""
        self._walks.clear()
        self._told_s, self._gone_s, self._news_s = None, 0.0, 0.0

    def _believe(self, frame_time: float, received_s: float) -> None:
        """Keep an NVR's times where they can be believed, else move them to ours; then, or after a long silence, all is new."""
        if self._told_s is not None and received_s - self._told_s > OLDEST_S:
            self.forget()
        if not -EARLIEST_S <= received_s - (frame_time + self._shift_s) <= OLDEST_S:
            believable = -EARLIEST_S <= received_s - frame_time <= OLDEST_S
            self._shift_s = 0.0 if believable else received_s - frame_time
            self.forget()

    def _hear(self, event: FrigateEvent) -> None:
        object_id, ends = event.after.id, event.type == "end"
        if not event.after.false_positive:
            for one in _looks(event):
                self._look(object_id, one.frame_time + self._shift_s, one.box)
        if ends:
            self._over.append(object_id)
        walk = self._walks.get(object_id)
        if walk is not None:
            walk.heard_s, walk.ended = self._news_s, ends
            self._gone_s = max(self._gone_s, walk.last_s)

    def _look(self, object_id: str, at_s: float, box: _Box) -> None:
        if object_id in self._walks:
            self._walks[object_id].look(at_s, box, told_s=self._told_s)
        elif len(self._walks) < _MOST_PEOPLE:
            self._walks[object_id] = _Walk(at_s, box)

    def _beats(self, received_s: float) -> list[Beat]:
        for walk in self._walks.values():
            walk.ended = walk.ended or self._news_s - walk.heard_s > FORGOTTEN_S
        if not self._walks and self._told_s is None:
            return []
        if self._told_s is None:
            self._told_s = min(walk.first_s for walk in self._walks.values()) - BEAT_S
        until_s = self._certain_until(received_s)
        told_s = max(self._told_s, until_s - FORGOTTEN_S - PATIENCE_S)
        beats = [self._beat(at_s) for at_s in self._moments(told_s, until_s)]
        if beats:
            self._told_s = beats[-1].at_s
        self._tidy(until_s)
        return beats

    def _certain_until(self, received_s: float) -> float:
        waited_for = [walk.last_s for walk in self._walks.values() if not walk.ended]
        if waited_for:
            return max(min(waited_for), self._news_s - PATIENCE_S)
        return max(self._gone_s, min(self._gone_s + LINGER_S, received_s))

    def _moments(self, told_s: float, until_s: float) -> list[float]:
        """Even beats, and the last sight of everybody who went: that may be the step over a line."""
        even = [told_s + BEAT_S * number for number in range(1, int((until_s - told_s) / BEAT_S + 1e-6) + 1)]
        ends = {walk.last_s for walk in self._walks.values() if walk.ended and told_s < walk.last_s <= until_s}
        return sorted({*even, *ends})

    def _beat(self, at_s: float) -> Beat:
        boxes = (walk.at(at_s) for walk in self._walks.values())
        return Beat(at_s, tuple(box for box in boxes if box is not None))

    def _tidy(self, until_s: float) -> None:
        told_s = self._told_s or 0.0
        self._walks = {name: walk for name, walk in self._walks.items() if not (walk.ended and walk.last_s <= told_s)}
        for walk in self._walks.values():
            walk.forget_before(told_s)
        if not self._walks and until_s >= self._gone_s + LINGER_S:
            self._told_s = None


def _looks(event: FrigateEvent) -> list[FrigateObject]:
    """What an event shows of its object: where it is, and where it was when Frigate last spoke of it.

    What Frigate was not sure of then, it is now: the same object was there.
    """
    before, after = event.before, event.after
    if before.id == after.id and before.label == PERSON and 0 < after.frame_time - before.frame_time <= FORGOTTEN_S:
        return [before, after]
    return [after]


def _heights_between(one: _Box, other: _Box) -> float:
    """How far the foot of one box is from the other's, in heights of the taller."""
    step = hypot((one[0] + one[2] - other[0] - other[2]) / 2, one[3] - other[3])
    return step / max(one[3] - one[1], other[3] - other[1])
