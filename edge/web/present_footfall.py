"""Who came and went, put into words: the two charts and the list of entrances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from edge.clock import from_epoch_s
from edge.web import chart
from edge.web.figures import Footfall, Today, WindowCount
from edge.web.language import Speech
from edge.web.view import BarRow, ChartView, EntranceRow, TickRow

__all__ = [
    "NO_CHART",
    "present_entrances",
    "present_hours",
    "present_lately",
    "say_drift",
    "say_occupancy",
    "shown_hours",
]

_TICKS = 5
_HOUR_S = 3600
_OPEN_H, _CLOSED_H = 8, 20
"""The hours that the chart always has, so that it does not change its shape with every one; others as they are needed."""

_CHART_WIDTH = 60 * chart.SLOT


NO_CHART = ChartView(caption="", summary="", scale="", bars=(), ticks=())
"""Where nobody counts there is nothing to draw; without a caption the page hides the chart."""


def say_occupancy(today: Today, *, say: Speech) -> str:
    """Since when people inside are reckoned."""
    since = today.footfall.empty_since.astimezone(ZoneInfo(today.timezone))
    if (since.hour, since.minute) == (0, 0):
        return say("since_midnight")
    return say("since_closing", clock=say.clock(since))


def say_drift(today: Today, *, say: Speech) -> str:
    """What the count still believed at closing time; empty where nothing is known of it."""
    drift = today.footfall.closing_drift
    if drift is None:
        return ""
    time = say.moment(drift.at.astimezone(ZoneInfo(today.timezone)), now=today.at)
    if not drift.people:
        return say("drift_none", time=time)
    return say("drift", time=time, people=say.number(drift.people))


def present_entrances(footfall: Footfall, *, say: Speech) -> Iterator[EntranceRow]:
    """Entrances with the names of their cameras."""
    for entrance in footfall.entrances:
        place = say.together(entrance.cameras)
        yield EntranceRow(entrance.name or place, place, say.figure(entrance.entered), say.figure(entrance.left))


def present_hours(today: Today, *, say: Speech) -> ChartView:
    """Today by the hour."""
    hours = today.footfall.hours
    first, last = shown_hours(hours)
    shown = hours[first:]
    busiest = max(hours, key=lambda hour: hour.entered)
    quiet = not any(hour.entered or hour.left for hour in hours)
    times = _times(
        range(hours[0].start_s + first * _HOUR_S, hours[0].start_s + last * _HOUR_S, _HOUR_S), today, say=say
    )
    every = 3 if last - first <= 15 else 4
    return ChartView(
        caption=say("one_bar", length=say.length(_HOUR_S)),
        summary=say.of_record("hours_quiet")
        if quiet
        else say("hours_summary", time=_times([busiest.start_s], today, say=say)[0], peak=say.number(busiest.entered)),
        scale=say.number(chart.scale(_peak(shown))),
        bars=tuple(_bars(shown, times, slots=last - first, say=say)),
        ticks=tuple(TickRow("" if (first + index) % every else time) for index, time in enumerate(times)),
    )


def present_lately(today: Today, *, say: Speech) -> ChartView:
    """The latest windows."""
    footfall = today.footfall
    windows = footfall.windows
    times = _times([window.start_s for window in windows], today, say=say, with_seconds=footfall.window_s < 60)
    span = say.span(len(windows) * footfall.window_s)
    return ChartView(
        caption=say("chart_caption", span=span, length=say.length(footfall.window_s)),
        summary=_summary(windows, times, span=span, say=say),
        scale=say.number(chart.scale(_peak(windows))),
        bars=tuple(_bars(windows, times, slots=len(windows), say=say)),
        ticks=tuple(TickRow(times[round((len(times) - 1) * tick / (_TICKS - 1))]) for tick in range(_TICKS)),
    )


def shown_hours(hours: Sequence[WindowCount]) -> tuple[int, int]:
    """First hour and the one past the last; the present one is shown if anybody came or went, or the shop may be open."""
    active = [index for index, hour in enumerate(hours) if hour.entered or hour.left]
    return min([*active, _OPEN_H]), max([*(index + 1 for index in active), _CLOSED_H])


def _bars(windows: Sequence[WindowCount], times: Sequence[str], *, slots: int, say: Speech) -> Iterator[BarRow]:
    stretch = _CHART_WIDTH / (slots * chart.SLOT)
    for bar, window, time in zip(chart.bars(windows), windows, times, strict=False):
        entered, left = say.figure(window.entered), say.figure(window.left)
        yield BarRow(
            transform=f"scale({stretch:.6g} 1) translate({bar.x} 0)",
            in_y=f"{bar.in_y:g}",
            in_height=f"{bar.in_height:g}",
            out_height=f"{bar.out_height:g}",
            label=say("bar_label", time=time, entered=entered, left=left),
            time=time,
            entered=entered,
            left=left,
        )


def _peak(windows: Sequence[WindowCount]) -> int:
    return max((max(window.entered, window.left) for window in windows), default=0)


def _times(starts_s: Sequence[int], today: Today, *, say: Speech, with_seconds: bool = False) -> list[str]:
    zone = ZoneInfo(today.timezone)
    return [say.clock(from_epoch_s(start_s).astimezone(zone), with_seconds=with_seconds) for start_s in starts_s]


def _summary(windows: Sequence[WindowCount], times: Sequence[str], *, span: str, say: Speech) -> str:
    entered, left = sum(window.entered for window in windows), sum(window.left for window in windows)
    if not entered and not left:
        return say.of_record("chart_quiet", span=span)
    busiest = max(range(len(windows)), key=lambda index: windows[index].entered)
    return say(
        "chart_summary",
        entered=say.number(entered),
        left=say.number(left),
        span=span,
        time=times[busiest],
        peak=say.number(windows[busiest].entered),
    )
