"""Frigate's events become even beats, and the beats are counted as a camera's own boxes are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from frigate_nvr import HEIGHT_PX, Way, events, state, walk
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.camera.detector import Detections
from edge.camera.frigate import BEAT_S, FORGOTTEN_S, PATIENCE_S, Beat, FrigatePeople
from edge.camera.frigate_camera import FrigateCamera
from edge.camera.pipeline import CameraPipeline
from edge.facts import Crossing
from edge.messages import FrigateEvent, FrigatePersonCount
from edge.settings import CameraSettings

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
CAMERA = CameraSettings.model_validate(
    {
        "id": "door",
        "zone": "hall",
        "frigate_name": "Front_Door",
        "lines": [{"name": "door", "points": [[0.1, 0.6], [0.9, 0.6]]}],
    }
)
LINE_Y = 0.6 * 720
DOWN: dict[str, Any] = {"from_y": 280, "to_y": 640}
UP: dict[str, Any] = {"from_y": 640, "to_y": 280}
Told = tuple[float, dict[str, Any]]


class Answer:
    def __init__(self, allowed: bool) -> None:
        self.allowed, self.reason = allowed, "the sign is down"


class Blind:
    """A detector that is never asked: Frigate has looked already."""

    score_threshold = 0.5
    input = None

    def detect(self, image_bgr: object) -> Detections:
        raise AssertionError("nothing to look at")


class Camera:
    """The camera behind Frigate with its real pipeline, tracker and lines."""

    def __init__(self, settings: CameraSettings = CAMERA) -> None:
        self.allowed = True

        def ask(_at: datetime) -> Answer:
            return Answer(self.allowed)

        pipeline = CameraPipeline(settings, detector=Blind(), allowed=ask)  # type: ignore[arg-type]
        self.frigate = FrigateCamera(settings, pipeline=pipeline, allowed=ask)

    def hear(self, told: list[Told]) -> dict[str, int]:
        """The crossings that come of events, each heard at its time."""
        ways = [
            fact.direction for at_s, event in told for fact in self.facts(at_s, event) if isinstance(fact, Crossing)
        ]
        return {"in": ways.count("in"), "out": ways.count("out")}

    def facts(self, at_s: float, event: dict[str, Any]) -> tuple[object, ...]:
        return self.result(at_s, event).facts

    def result(self, at_s: float, event: dict[str, Any]) -> Any:
        return self.frigate.take(parsed(event), received_at=datetime.fromtimestamp(at_s, UTC))


def parsed(event: dict[str, Any]) -> FrigateEvent:
    return FrigateEvent.model_validate_json(json.dumps(event))


def at_their_time(*ways: list[dict[str, Any]], late_s: float = 0.3) -> list[Told]:
    """Events in the order in which an NVR would publish them: `end` five seconds after the last sight."""
    told = [
        (one["after"]["frame_time"] + (5.2 if one["type"] == "end" else late_s), one) for way in ways for one in way
    ]
    return sorted(told, key=lambda entry: entry[0])


@pytest.mark.parametrize(("way", "counted"), [(DOWN, {"in": 1, "out": 0}), (UP, {"in": 0, "out": 1})])
@pytest.mark.parametrize(("seconds", "looks"), [(3, 16), (3, 2), (4, 3), (15, 4), (30, 2), (60, 6)])
def test_somebody_who_walks_over_the_line_counts_once(
    way: dict[str, Any], counted: dict[str, int], seconds: float, looks: int
) -> None:
    """However seldom Frigate looks: every few pictures, or only at the beginning and at the end."""
    told = events("1.0-a", walk(T0, **way, seconds=seconds, looks=looks))
    assert Camera().hear(at_their_time(told)) == counted


def test_two_people_are_two() -> None:
    """Side by side, against each other, at their own times, each with a walk of its own."""
    one = events("1.0-a", walk(T0, x=500, **DOWN, seconds=4, looks=5))
    two = events("2.0-b", walk(T0 + 0.7, x=760, **DOWN, seconds=5, looks=4))
    three = events("3.0-c", walk(T0 + 1.1, x=980, **UP, seconds=4, looks=3))
    assert Camera().hear(at_their_time(one, two, three)) == {"in": 2, "out": 1}


def test_who_is_not_seen_again_is_held_and_walks_on() -> None:
    """One person walks while another is not mentioned for 40 s and then is over the line: both count, each once."""
    quiet = events("1.0-a", [(T0, (400, 300)), (T0 + 1, (400, 310)), (T0 + 41, (400, 620)), (T0 + 42, (400, 630))])
    busy = [events(f"{number}.5-b", walk(T0 + 5 * number, x=900, **DOWN, seconds=3, looks=4)) for number in range(2, 9)]
    assert Camera().hear(at_their_time(quiet, *busy)) == {"in": 8, "out": 0}


def test_an_end_without_a_new_is_counted_by_its_two_looks() -> None:
    """A gateway that came in the middle of a visit: `before` and `after` of the last word are a walk."""
    before, after = (state("1.0-a", T0 + at_s, (640, y)) for at_s, y in ((0, 300), (3, 600)))
    assert Camera().hear([(T0 + 8, {"type": "end", "before": before, "after": after})]) == {"in": 1, "out": 0}


def test_what_is_told_twice_counts_once() -> None:
    """Every event delivered three times, at once and later: a broker may."""
    told = at_their_time(events("1.0-a", walk(T0, **DOWN, seconds=4, looks=6)))
    thrice = [entry for entry in told for _ in range(2)] + [
        (T0 + 12 + index, one) for index, (_, one) in enumerate(told)
    ]
    assert Camera().hear(thrice) == {"in": 1, "out": 0}


def test_events_out_of_order_count_once() -> None:
    """Updates that overtake each other, and one that comes after the end."""
    told = events("1.0-a", walk(T0, **DOWN, seconds=4, looks=6))
    new, second, third, fourth, fifth, end = told
    order = [new, third, second, fifth, end, fourth]
    assert Camera().hear([(T0 + 4.2 + index * 0.1, one) for index, one in enumerate(order)]) == {"in": 1, "out": 0}


def test_cars_are_no_people() -> None:
    """Another label walks over the line as often as it likes."""
    told = [
        events(f"{n}.0-c", walk(T0 + n, **DOWN, seconds=4, looks=9), label=label)
        for n, label in ((1, "car"), (2, "dog"))
    ]
    camera = Camera()
    assert camera.hear(at_their_time(*told)) == {"in": 0, "out": 0}
    assert camera.frigate._people.in_view == 0


def test_a_false_positive_is_nobody_until_frigate_is_sure() -> None:
    """While `false_positive` is true the object is not there; once it is false it counts with what is seen from then on."""
    way = walk(T0, **DOWN, seconds=8, looks=17)
    told = events("1.0-a", way)
    doubted = [{**one, "after": {**one["after"], "false_positive": True}} for one in told]
    assert Camera().hear(at_their_time(doubted)) == {"in": 0, "out": 0}
    sure_from_the_fourth = [*doubted[:3], *told[3:]]
    assert Camera().hear(at_their_time(sure_from_the_fourth)) == {"in": 1, "out": 0}


def test_somebody_who_turns_back_does_not_count() -> None:
    """Up to the line and away again."""
    way: Way = [(T0, (640, 300)), (T0 + 2, (640, LINE_Y - 30)), (T0 + 4, (640, 300)), (T0 + 6, (640, 280))]
    assert Camera().hear(at_their_time(events("1.0-a", way))) == {"in": 0, "out": 0}


@pytest.mark.parametrize("wrong_s", [-7200.0, -400.0, 30.0, 86_400.0])
def test_an_nvr_with_a_wrong_clock_is_counted_by_ours(wrong_s: float) -> None:
    """Hours behind or ahead: people walk as they did, now."""
    told = [(at_s - wrong_s, one) for at_s, one in at_their_time(events("1.0-a", walk(T0, **DOWN, seconds=4, looks=6)))]
    camera = Camera()
    facts = [(at_s, fact) for at_s, one in told for fact in camera.facts(at_s, one) if isinstance(fact, Crossing)]
    ((at_s, crossing),) = facts
    assert abs(crossing.occurred_at.timestamp() - at_s) < 10


def test_what_the_gate_refuses_is_not_remembered() -> None:
    """While the zone's notice is not attested nothing is held, also not for later."""
    camera, told = Camera(), at_their_time(events("1.0-a", walk(T0, **DOWN, seconds=4, looks=6)))
    for index, (at_s, one) in enumerate(told):
        camera.allowed = index >= 4
        result = camera.result(at_s, one)
        assert (result.refused is None) == camera.allowed
        assert result.facts == () or camera.allowed
        assert camera.allowed or camera.frigate._people.in_view == 0


def test_a_count_of_people_is_what_is_seen_now_and_asks_the_gate_too() -> None:
    """`frigate/{camera}/person` is how many are in view."""
    camera, now = Camera(), datetime.fromtimestamp(T0, UTC)
    assert camera.frigate.take(FrigatePersonCount(3), received_at=now).people_visible == 3
    camera.allowed = False
    refused = camera.frigate.take(FrigatePersonCount(3), received_at=now)
    assert (refused.people_visible, refused.refused) == (0, "the sign is down")


def test_boxes_are_in_pixels_of_the_detect_stream() -> None:
    """The same walk in a stream of half the size, its size in store.toml."""
    small = CameraSettings.model_validate({**CAMERA.model_dump(), "frigate_detect": [640, 360]})
    told = events("1.0-a", walk(T0, **DOWN, seconds=4, looks=6))
    for one in told:
        for part in ("before", "after"):
            one[part] = {**one[part], "box": [side / 2 for side in one[part]["box"]]}
    assert Camera(small).hear(at_their_time(told)) == {"in": 1, "out": 0}
    assert Camera().hear(at_their_time(told)) == {"in": 0, "out": 0}


# What the beats themselves promise.


def beats_of(told: list[Told]) -> list[Beat]:
    people = FrigatePeople()
    return [beat for at_s, one in told for beat in people.take(parsed(one), received_s=at_s)]


def test_beats_are_even_and_in_order() -> None:
    """Never further apart than a beat while somebody is there, each later than the one before."""
    told = at_their_time(
        events("1.0-a", walk(T0, x=500, **DOWN, seconds=7, looks=4)),
        events("2.0-b", walk(T0 + 3, x=760, **UP, seconds=9, looks=3)),
    )
    gaps = [later.at_s - earlier.at_s for earlier, later in pairwise(beats_of(told))]
    assert min(gaps) > 0
    assert max(gaps) <= BEAT_S + 1e-6


def test_who_is_no_longer_mentioned_is_forgotten() -> None:
    """An NVR that restarted sends no `end`: after a minute and a half its people are gone."""
    people = FrigatePeople()
    for at_s, one in at_their_time(events("1.0-a", walk(T0, **DOWN, seconds=4, looks=3), end=False)):
        people.take(parsed(one), received_s=at_s)
    assert people.in_view == 1
    later_s = T0 + FORGOTTEN_S + 10
    (first, *_) = events("2.0-b", walk(later_s, **UP, seconds=4, looks=3))
    people.take(parsed(first), received_s=later_s + 2.2)
    assert people.in_view == 1
    assert set(people._walks) == {"2.0-b"}


def test_a_held_person_does_not_hold_up_the_others() -> None:
    """Beats come after a patience at the latest, though one person is not mentioned again."""
    people = FrigatePeople()
    quiet = events("1.0-a", [(T0, (400, 300)), (T0 + 0.4, (400, 301))], end=False)
    busy = events("2.0-b", walk(T0, x=900, **DOWN, seconds=20, looks=41), end=False)
    told = [
        (at_s, beat) for at_s, one in at_their_time(quiet, busy) for beat in people.take(parsed(one), received_s=at_s)
    ]
    assert max(at_s - beat.at_s for at_s, beat in told) <= PATIENCE_S + 1
    assert all(len(beat.boxes_xyxy) == 2 for at_s, beat in told if beat.at_s > T0 + 1)


@st.composite
def chatter(draw: st.DrawFn) -> list[Told]:
    """Events of a few objects in any order, with any times, boxes, labels and doubts; never a real NVR's."""
    told = []
    at_s = T0
    for _ in range(draw(st.integers(1, 25))):
        at_s += draw(st.sampled_from([0.0, 0.01, 0.4, 5.0, 61.0, 1000.0]))
        object_id = f"{draw(st.integers(1, 4))}.0-x"
        looks = []
        for _ in range(2):
            age_s = draw(st.sampled_from([0.0, 0.2, 3.0, 70.0, 299.0, 4000.0, -1.0, -60.0, -4000.0]))
            foot = (draw(st.integers(-50, 1330)), draw(st.integers(100, 760)))
            label = draw(st.sampled_from(["person", "person", "person", "car"]))
            looks.append(
                state(object_id, max(0.0, at_s - age_s), foot, label=label, false_positive=draw(st.booleans()))
            )
        kind = draw(st.sampled_from(["new", "update", "update", "end"]))
        told.append((at_s, {"type": kind, "before": looks[0], "after": looks[1]}))
    return told


@hypothesis_settings(max_examples=200, deadline=None)
@given(chatter())
def test_whatever_is_said_stays_bounded(told: list[Told]) -> None:
    """No event costs more than a few hundred beats, none is of a time that cannot be believed, and little is kept."""
    people = FrigatePeople()
    for at_s, one in told:
        beats = people.take(parsed(one), received_s=at_s)
        assert len(beats) <= (FORGOTTEN_S + PATIENCE_S) / BEAT_S + 10
        assert all(-12 <= at_s - beat.at_s <= 300 + FORGOTTEN_S + PATIENCE_S for beat in beats)
        assert all(later.at_s >= earlier.at_s for earlier, later in pairwise(beats))
        assert all(len(beat.boxes_xyxy) <= 4 for beat in beats)
        assert len(people._walks) <= 4


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=5), st.integers(2, 12), st.floats(1.5, 20), st.randoms())
def test_everybody_counts_once_whichever_way(downwards: list[bool], looks: int, seconds: float, random: Any) -> None:
    """Up to five people at once, walking abreast, with uneven looks: in and out are each right."""
    ways = []
    for index, down in enumerate(downwards):
        way = walk(
            T0 + random.uniform(0, 3), x=150 + 240 * index, **(DOWN if down else UP), seconds=seconds, looks=looks
        )
        ways.append(events(f"{index}.0-p", way))
    assert Camera().hear(at_their_time(*ways)) == {"in": sum(downwards), "out": len(downwards) - sum(downwards)}


def test_a_thousand_visits_leave_nothing_behind() -> None:
    """What is kept is bounded by who is there now."""
    people = FrigatePeople()
    for visit in range(1000):
        begins_s = T0 + 20.0 * visit
        for at_s, one in at_their_time(events(f"{visit}.0-p", walk(begins_s, **DOWN, seconds=4, looks=5))):
            people.take(parsed(one), received_s=at_s)
    assert len(people._walks) <= 1
    assert len(people._heard) <= 2000
    assert len(people._over) <= 2000


def test_a_box_is_a_person_of_the_size_that_frigate_said() -> None:
    """The foot point of a beat lies on the straight way between two looks."""
    told = events("1.0-a", [(T0, (600, 300)), (T0 + 2, (640, 400))])
    middle = next(beat for beat in beats_of(at_their_time(told)) if abs(beat.at_s - T0 - 1) < 1e-6)
    ((left, top, right, bottom),) = middle.boxes_xyxy
    assert ((left + right) / 2, bottom) == pytest.approx((620, 350))
    assert bottom - top == pytest.approx(HEIGHT_PX)
