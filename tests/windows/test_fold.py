"""Facts folded by time: every fact has its cell, and nothing local has a way out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.facts import (
    AreaVisited,
    CameIn,
    ConsentDecided,
    Crossing,
    Fact,
    GroupEntered,
    HeatSeen,
    HeatTime,
    MoodGiven,
    PassedBy,
    PathTaken,
    QueueStood,
    QueueWaited,
    SaleMade,
    SizeAsked,
    StayEnded,
    StoreClosed,
    ZoneEntered,
)
from edge.outbox.events import CountMetric, CountReleased
from edge.windows import DURATIONS, LOCAL_METRICS, PEOPLE_METRICS, Cell, Metric, duration_key, fold

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START_S = int(NINE.timestamp())

ONE_OF_EACH: list[tuple[Fact, list[tuple[Metric, str, str, int]]]] = [
    (Crossing(NINE, "cam", "door", "in"), [(Metric.VISITS, "cam/door", "in", 1)]),
    (ZoneEntered(NINE, "hall"), [(Metric.ZONE_ENTRIES, "hall", "entered", 1)]),
    (AreaVisited(NINE, "cam", "shelf"), [(Metric.AREA_VISITS, "cam/shelf", "visited", 1)]),
    (StayEnded(NINE, "cam", "shelf", 31.0), [(Metric.DWELL, "cam/shelf", "30-60", 1)]),
    (QueueWaited(NINE, "cam", "till", 200.0), [(Metric.QUEUE_WAITS, "cam/till", "180+", 1)]),
    (QueueStood(NINE, "cam", "till", 3, 1250), [(Metric.QUEUE_TIME, "cam/till", "3", 1250)]),
    (QueueStood(NINE, "cam", "till", 99, 1250), [(Metric.QUEUE_TIME, "cam/till", "50", 1250)]),
    (PathTaken(NINE, "cam", "shelf", "till"), [(Metric.PATHS, "cam/shelf", "till", 1)]),
    (PassedBy(NINE, "cam", "window"), [(Metric.CAPTURE, "cam/window", "passed_by", 1)]),
    (CameIn(NINE, "cam", "window"), [(Metric.CAPTURE, "cam/window", "came_in", 1)]),
    (GroupEntered(NINE, "cam", "door", 3), [(Metric.GROUPS, "cam/door", "3", 1)]),
    (GroupEntered(NINE, "cam", "door", 7), [(Metric.GROUPS, "cam/door", "4+", 1)]),
    (HeatSeen(NINE, "cam", 5, 3), [(Metric.HEAT, "cam", "5,3", 1)]),
    (HeatTime(NINE, "cam", 5, 3, 700), [(Metric.HEAT_TIME, "cam", "5,3", 700)]),
    (StoreClosed(NINE, -2), [(Metric.CLOSING_DRIFT, "store", "people", -2)]),
    (MoodGiven(NINE, "kiosk", 4), [(Metric.MOOD, "kiosk", "4", 1)]),
    (SizeAsked(NINE, "coat", "M"), [(Metric.SIZES, "coat", "M", 1)]),
    (ConsentDecided(NINE, "member_link", "granted"), [(Metric.CONSENTS, "member_link", "granted", 1)]),
    (
        SaleMade(NINE, "till-1", "sale", "EUR", 2, 500, 80),
        [
            (Metric.SALES, "till-1", "EUR/sales", 1),
            (Metric.SALES, "till-1", "EUR/tax_minor", 80),
            (Metric.SALES, "till-1", "EUR/total_minor", 500),
            (Metric.SALES, "till-1", "EUR/units", 2),
        ],
    ),
]


@pytest.mark.parametrize(("fact", "parts"), ONE_OF_EACH, ids=lambda one: type(one).__name__)
def test_every_fact_has_its_cell(fact: Fact, parts: list[tuple[Metric, str, str, int]]) -> None:
    """Metric, place, key and amount, in the window in which it happened."""
    found = [(one.cell.metric, one.cell.place, one.cell.key, one.amount) for one in fold([fact], length_s=60)]
    assert sorted(found) == sorted(parts)
    assert all(one.cell.start_s == START_S for one in fold([fact], length_s=60))


def test_the_list_above_has_every_fact() -> None:
    """A fact without a cell would be lost."""
    assert {type(fact) for fact, _ in ONE_OF_EACH} == set(get_args(Fact))


def test_every_metric_has_one_way() -> None:
    """A metric passes the release gate, stays on the box, or is the shop's own bookkeeping; never two of them."""
    assert PEOPLE_METRICS | LOCAL_METRICS | {Metric.SALES} == set(Metric)
    assert not PEOPLE_METRICS & LOCAL_METRICS
    assert {metric.value for metric in PEOPLE_METRICS} == set(get_args(CountMetric))


@pytest.mark.parametrize(("fact", "parts"), ONE_OF_EACH, ids=lambda one: type(one).__name__)
def test_what_may_leave_adds_one_to_one_cell(fact: Fact, parts: list[tuple[Metric, str, str, int]]) -> None:
    """The gate's noise is made for that: sensitivity 1 (decision record 0004). Its event holds such a cell."""
    leaving = [part for part in parts if part[0] in PEOPLE_METRICS]
    assert len(leaving) <= 1
    for metric, place, key, amount in leaving:
        assert amount == 1
        CountReleased.model_validate(
            {
                "metric": metric.value,
                "place": place,
                "key": key,
                "count": 1,
                "epsilon": 1.0,
                "k": 5,
                "start": NINE,
                "end": NINE,
            }
        )


@pytest.mark.parametrize(
    ("seconds", "key"),
    [
        (0, "0-5"),
        (4.99, "0-5"),
        (5, "5-15"),
        (15, "15-30"),
        (59.9, "30-60"),
        (60, "60-180"),
        (180, "180+"),
        (1e9, "180+"),
    ],
)
def test_durations_fall_into_their_bucket(seconds: float, key: str) -> None:
    """From the first number to below the second."""
    assert duration_key(seconds) == key
    assert key in DURATIONS


@given(
    st.lists(st.tuples(st.integers(-7200, 7200), st.sampled_from([fact for fact, _ in ONE_OF_EACH[:3]])), max_size=60),
    st.sampled_from([1, 7, 60, 900]),
)
def test_folding_in_parts_is_folding_at_once(moments: list[tuple[int, Fact]], length_s: int) -> None:
    """Whatever comes together and whatever apart, the sums of the cells are the same, and each fact is in one of them."""
    from dataclasses import replace

    facts = [replace(fact, occurred_at=NINE + timedelta(seconds=s)) for s, fact in moments]
    at_once = {one.cell: one.amount for one in fold(facts, length_s=length_s)}
    apart: Counter[Cell] = Counter()
    for fact in facts:
        for one in fold([fact], length_s=length_s):
            assert one.cell.start_s <= fact.occurred_at.timestamp() < one.cell.start_s + length_s
            apart[one.cell] += one.amount
    assert at_once == dict(apart)
