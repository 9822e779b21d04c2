"""Queues and heat: how long, how many, where; and that one person's share of what may leave is bounded."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracked import Stage, camera, person, square, standing, straight

from edge.camera.heat import CELLS_PER_TRACK
from edge.camera.queues import QueueLengths
from edge.facts import AreaVisited, HeatSeen, HeatTime, QueueStood, QueueWaited
from edge.windows import Metric, fold

TILL = square("till", left=0.4, right=0.6, kind="queue")


def lengths_of(stage: Stage) -> Counter[int]:
    """Milliseconds by length."""
    ms: Counter[int] = Counter()
    for fact in stage.of(QueueStood):
        ms[fact.people] += fact.duration_ms
    return ms


def test_a_queue_of_three() -> None:
    """Three who come 10 s apart and leave together: each length for its time, and each one's wait."""
    stage = Stage(camera(areas=[TILL]))
    stage.walk(*(standing((0.45 + 0.05 * i, 0.5), seconds=60 - 10 * i) for i in range(3)), delays={1: 50, 2: 100})
    stage.finish()
    ms = lengths_of(stage)
    assert [ms[length] for length in range(4)] == pytest.approx([3000, 10_000, 10_000, 37_000], abs=500)
    assert [fact.wait_s for fact in stage.of(QueueWaited)] == pytest.approx([60, 50, 40], abs=0.3)
    assert len(stage.of(AreaVisited)) == 3


def test_mean_and_maximum_follow_from_the_sums() -> None:
    """Folded into windows, length times time over time is the mean, and the longest length that lasted the maximum."""
    stage = Stage(camera(areas=[TILL]), now_s=1_000_020.0)  # the begin of a minute
    stage.walk(standing((0.5, 0.5), seconds=123), standing((0.55, 0.5), seconds=30), delays={1: 145})
    stage.finish()
    cells = [one for one in fold(stage.facts, length_s=60) if one.cell.metric is Metric.QUEUE_TIME]
    by_window: dict[int, dict[int, int]] = {}
    for one in cells:
        by_window.setdefault(one.cell.start_s, {})[int(one.cell.key)] = one.amount
    first, second, *_ = (by_window[start_s] for start_s in sorted(by_window))
    assert sum(first.values()) == pytest.approx(60_000, abs=300)
    assert max(first) == 2
    mean = sum(length * ms for length, ms in first.items()) / sum(first.values())
    assert mean == pytest.approx((57 + 27) / 60, abs=0.03)
    assert max(second) == 1


def test_walking_past_the_till_is_no_queue() -> None:
    """Who is there for two seconds waits for nothing."""
    stage = Stage(camera(areas=[TILL]))
    stage.walk(straight((0.0, 0.5), (1.0, 0.5), seconds=8))
    stage.finish()
    assert not stage.of(QueueWaited)
    assert set(lengths_of(stage)) == {0}


def test_a_camera_that_is_silent_has_no_queue() -> None:
    """An hour without a picture is not an hour of the queue that was seen before it."""
    stage = Stage(camera(areas=[TILL]))
    stage.walk(standing((0.5, 0.5), seconds=10))
    stage.show([person((0.5, 0.5))], after_s=3600)
    stage.finish()
    assert sum(lengths_of(stage).values()) < 14_000


@given(st.lists(st.tuples(st.floats(0.05, 3), st.integers(0, 5)), max_size=80))
def test_every_moment_has_one_length(frames: list[tuple[float, int]]) -> None:
    """The times of all lengths add up to the time watched, whatever the frame rate; gaps count for two seconds at most."""
    queues, now_s, told = QueueLengths(camera="cam"), 5000.0, []
    for after_s, people in frames:
        now_s += after_s
        told += queues.update({"till": people}, at_s=now_s)
    told += queues.close()
    watched = sum(min(after_s, 2.0) for after_s, _ in frames[1:])
    assert sum(fact.duration_ms for fact in told) == pytest.approx(1e3 * watched, abs=len(told) + 1)
    assert {fact.people for fact in told} <= {people for _, people in frames}


# Heat ------------------------------------------------------------------------------------------------------------------


def test_heat_is_where_people_stand() -> None:
    """Ten seconds in one cell are ten person-seconds there and nowhere else; and one person who lingered."""
    stage = Stage(camera(heat={"columns": 10, "rows": 5}))
    stage.walk(standing((0.55, 0.5), seconds=10))
    stage.finish()
    assert {(fact.column, fact.row) for fact in stage.of(HeatTime)} == {(5, 2)}
    assert sum(fact.duration_ms for fact in stage.of(HeatTime)) == pytest.approx(10_000, abs=250)
    assert [(fact.column, fact.row) for fact in stage.of(HeatSeen)] == [(5, 2)]


def test_one_person_adds_at_most_one_to_a_cell_and_a_few_in_all() -> None:
    """Somebody who stands in every cell of the grid, twice, for as long as the shop is open."""
    stage = Stage(camera(heat={"columns": 16, "rows": 9}))
    tour = [((column + 0.5) / 16, (row + 0.5) / 9) for row in range(9) for column in range(16)]
    for foot in tour + tour:
        for _ in range(15):
            stage.show([person(foot)])
    seen = stage.of(HeatSeen)
    assert len(seen) == len({(fact.column, fact.row) for fact in seen}) == CELLS_PER_TRACK


def test_walking_through_warms_no_cell() -> None:
    """At a walking pace nobody lingers; the time is kept all the same."""
    stage = Stage(camera(heat={}))
    stage.walk(straight((0.0, 0.5), (0.99, 0.5), seconds=8))
    stage.finish()
    assert not stage.of(HeatSeen)
    assert sum(fact.duration_ms for fact in stage.of(HeatTime)) == pytest.approx(8000, abs=300)


def test_heat_is_off_unless_it_is_asked_for() -> None:
    """Each cell costs privacy budget."""
    stage = Stage(camera())
    stage.walk(standing((0.5, 0.5), seconds=10))
    stage.finish()
    assert not stage.of(HeatSeen)
    assert not stage.of(HeatTime)
