"""The chart's geometry is true to its numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.web.chart import BASELINE, HEIGHT, SLOT, bars, scale
from edge.web.figures import WindowCount

COUNTS = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("peak", "full"), [(0, 4), (4, 4), (5, 6), (9, 10), (10, 10), (11, 20), (61, 80), (100, 100), (950, 1000)]
)
def test_scale_is_round(peak: int, full: int) -> None:
    """The scale is the next round number, and never so small that one visitor fills it."""
    assert scale(peak) == full


@given(st.integers(0, 10**9))
def test_everything_fits(peak: int) -> None:
    """No peak reaches past the chart, and none but the smallest takes less than half of it."""
    assert peak <= scale(peak) <= max(4, 2 * peak)


@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=60))
def test_bars_are_proportional(counts: list[tuple[int, int]]) -> None:
    """Bars grow from the baseline in proportion to their counts, to one scale both ways, and stay inside."""
    windows = [WindowCount(60 * index, entered, left) for index, (entered, left) in enumerate(counts)]
    full = scale(max((max(pair) for pair in counts), default=0))
    for index, (bar, window) in enumerate(zip(bars(windows), windows, strict=True)):
        assert bar.x == index * SLOT
        assert bar.in_height == pytest.approx(BASELINE * window.entered / full, abs=0.06)
        assert bar.out_height == pytest.approx(BASELINE * window.left / full, abs=0.06)
        assert bar.in_y + bar.in_height == pytest.approx(BASELINE)
        assert bar.in_y >= 0
        assert BASELINE + bar.out_height <= HEIGHT
