"""The frame budget: what is told of a minute is what happened in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.frame_budget import FATES, SLICE_S, Fate, FrameBudget

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@given(st.lists(st.tuples(st.integers(0, 150), st.sampled_from(FATES)), max_size=300))
def test_a_minute_is_the_sum_of_its_pictures(noted: list[tuple[int, Fate]]) -> None:
    """Whatever comes when, the figures at the end of a slice are the notes of the six slices before it."""
    gauges: dict[str, float] = {}
    budget = FrameBudget(["door"], gauge=gauges.__setitem__)
    budget.pass_to(at(0))
    noted = sorted(noted, key=lambda one: one[0])
    for second, fate in noted:
        budget.pass_to(at(second))
        budget.note("door", fate)
    end = 160
    budget.pass_to(at(end))
    for fate in FATES:
        lately = sum(one == fate for second, one in noted if end - 6 * SLICE_S <= second < end)
        assert gauges.get(f"frames_{fate}/door", 0) == lately


def test_the_first_minute_is_told_as_a_rate() -> None:
    """After ten seconds with fifty pictures a camera is known to send 300 a minute, not 50."""
    gauges: dict[str, float] = {}
    budget = FrameBudget(["door"], gauge=gauges.__setitem__)
    for picture in range(50):
        budget.pass_to(at(picture / 5))
        budget.note("door", "received")
    assert not gauges
    budget.pass_to(at(10))
    assert gauges["frames_received/door"] == 300


def test_a_camera_without_pictures_has_no_figures() -> None:
    """One that finds people on its own chip is not said to send nothing; one that fell silent is, once."""
    told: list[tuple[str, float]] = []
    budget = FrameBudget(["door", "chip"], gauge=lambda name, value: told.append((name, value)))
    budget.pass_to(at(0))
    budget.note("door", "received")
    budget.pass_to(at(10))
    budget.pass_to(at(100))
    budget.pass_to(at(200))
    assert [value for name, value in told if name == "frames_received/door"] == [6, 0]
    assert not any("chip" in name for name, _ in told)


def test_a_clock_that_is_put_back_does_not_stop_the_telling() -> None:
    """Ten seconds after the jump there are figures again."""
    gauges: dict[str, float] = {}
    budget = FrameBudget(["door"], gauge=gauges.__setitem__)
    budget.pass_to(at(0))
    for second in range(-3600, -3589):
        budget.pass_to(at(second))
        budget.note("door", "received")
    assert gauges["frames_received/door"] == 60
