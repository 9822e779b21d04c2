"""Counts over time as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from edge.errors import ThresholdError
from edge.settings import LineSettings

__all__ = ["draw_counts"]


def draw_counts(
    path: Path,
    *,
    lines: Sequence[LineSettings],
    people_by_s: Sequence[tuple[float, int]],
    crossings: Sequence[tuple[float, str, str]],
) -> None:
    """Write a PNG: people in view by second, and the running counts of each line (second, line, direction).

    Raises:
        ThresholdError: the file cannot be written.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    seconds = [at_s for at_s, _ in people_by_s]
    end_s = max(seconds, default=0.0)
    above.fill_between(seconds, [people for _, people in people_by_s], step="post", alpha=0.4)
    above.set_ylabel("people in view")
    for line in lines:
        for direction, style in (("in", "-"), ("out", "--")):
            times = [at_s for at_s, name, way in crossings if (name, way) == (line.name, direction)]
            counts = [*range(len(times) + 1), len(times)]
            below.step([0.0, *times, end_s], counts, style, where="post", label=f"{line.name} {direction}")
    below.set_xlabel("seconds")
    below.set_ylabel("crossings")
    for axes in (above, below):
        axes.yaxis.get_major_locator().set_params(integer=True)
    below.legend(loc="upper left", fontsize="small")
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise ThresholdError("write plot", str(path), error.strerror or "it cannot be written") from error
