"""The chart of comings and goings as geometry: who came in stands above the line, who went out hangs below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.web.figures import WindowCount

__all__ = ["BASELINE", "HEIGHT", "SLOT", "Bar", "bars", "scale"]

SLOT = 10
"""Width of one window's place, in the SVG's own units; the bar takes most of it."""
HEIGHT = 200
BASELINE = HEIGHT // 2
_STEPS = (1, 2, 4, 6, 8, 10)
_SMALLEST_SCALE = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One window's two bars: `in_y` down to the baseline, and from the baseline `out_height` down."""

    x: int
    in_y: float
    in_height: float
    out_height: float


def scale(peak: int) -> int:
    """The round number, 4 at least, that the chart's full height stands for so that `peak` fits."""
    if peak <= _SMALLEST_SCALE:
        return _SMALLEST_SCALE
    magnitude = int(10 ** (len(str(peak)) - 1))
    return next((step * magnitude for step in _STEPS if peak <= step * magnitude), 10 * magnitude)


def bars(windows: Sequence[WindowCount]) -> list[Bar]:
    """Bars for `windows`, left to right, all to one scale in both directions."""
    full = scale(max((max(window.entered, window.left) for window in windows), default=0))
    return [_bar(index, window, full=full) for index, window in enumerate(windows)]


def _bar(index: int, window: WindowCount, *, full: int) -> Bar:
    in_height = round(BASELINE * window.entered / full, 1)
    return Bar(
        x=index * SLOT,
        in_y=round(BASELINE - in_height, 1),
        in_height=in_height,
        out_height=round(BASELINE * window.left / full, 1),
    )
