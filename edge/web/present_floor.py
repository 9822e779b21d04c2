"""What happened between the doors, put into words: queues, areas, shop windows, paths, heat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.web.figures import AreaUse, Floor, HeatMap, Outline, PathUse, QueueUse, WindowUse
from edge.web.language import Speech
from edge.web.share import share
from edge.web.view import FloorView, HeatRow, HeroView, MarkRow, QueueRow, UseRow

__all__ = ["present_capture", "present_floor", "present_waiting"]

_LASTED = {
    "0-5": "lasted_0_5",
    "5-15": "lasted_5_15",
    "15-30": "lasted_15_30",
    "30-60": "lasted_30_60",
    "60-180": "lasted_60_180",
    "180+": "lasted_180",
}
_LONGEST_TOLD = 50
_PATHS_SHOWN = 8
_HEAT_WIDTH, _HEAT_HEIGHT = 160, 90
_MARK_CHARS = 16
_NOTHING_SET_UP = HeroView("", "")


def present_waiting(floor: Floor, *, say: Speech) -> HeroView:
    """People in all queues now, and in each where there are several."""
    if not floor.queues:
        return _NOTHING_SET_UP
    seen = [(queue.area, queue.waiting) for queue in floor.queues if queue.waiting is not None]
    if not seen:
        return HeroView(say("unknown_figure"), say("queue_unseen"))
    parts = [say("queue_part", queue=name, people=say.figure(waiting)) for name, waiting in seen]
    detail = " · ".join(parts) if len(floor.queues) > 1 else floor.queues[0].area
    return HeroView(say.figure(sum(waiting for _, waiting in seen)), detail)


def present_capture(floor: Floor, *, say: Speech) -> HeroView:
    """Of those who passed a shop window, how many came in; over all windows."""
    if not floor.windows:
        return _NOTHING_SET_UP
    passed, came = sum(window.passed_by for window in floor.windows), sum(window.came_in for window in floor.windows)
    if passed < max(1, floor.k):
        return HeroView(say("unknown_figure"), say.of_record("capture_few", k=say.number(max(1, floor.k))))
    detail = say("capture_of", came=say.figure(came), passed=say.figure(passed))
    return HeroView(say.percent(min(100, round(100 * came / passed))), detail)


def present_floor(floor: Floor, *, say: Speech) -> FloorView:
    """All that the floor's areas have counted."""
    k = say.number(floor.k)
    has_areas = bool(floor.queues or floor.areas or floor.windows)
    paths = tuple(_paths(floor.paths[:_PATHS_SHOWN], say=say))
    may_have_paths = len(floor.areas) + len(floor.queues) + len(floor.windows) > 1
    return FloorView(
        queues=tuple(_queue(queue, say=say) for queue in floor.queues),
        areas=tuple(_areas(floor.areas, say=say)),
        windows=tuple(_windows(floor.windows, say=say)),
        paths=paths,
        no_paths=say.of_record("no_paths") if may_have_paths and not paths else "",
        paths_why=say("paths_why", k=k) if may_have_paths else "",
        no_areas="" if has_areas else say("no_areas"),
        heat=tuple(_heat(heat, k=k, say=say) for heat in floor.heat),
        heat_why=say("heat_why", k=k) if floor.heat else "",
    )


def _queue(queue: QueueUse, *, say: Speech) -> QueueRow:
    parts = [say("queue_joined", people=say.figure(queue.joined))]
    if queue.longest is not None:
        longest = say.number(queue.longest) + ("+" if queue.longest >= _LONGEST_TOLD else "")
        parts.append(say("queue_longest", people=longest))
    if queue.typical_wait is not None:
        parts.append(say("typical_wait", span=say(_LASTED[queue.typical_wait])))
    waiting = say("unknown_figure") if queue.waiting is None else say.figure(queue.waiting)
    return QueueRow(queue.area, queue.camera, waiting, say("people_waiting"), " · ".join(parts))


def _areas(areas: Sequence[AreaUse], *, say: Speech) -> Iterator[UseRow]:
    most = max((area.visits for area in areas), default=0)
    for area in areas:
        parts = []
        if area.present is not None:
            parts.append(say("here_now", people=say.figure(area.present)))
        if area.typical_stay is not None:
            parts.append(say("typical_stay", span=say(_LASTED[area.typical_stay])))
        yield UseRow(area.area, area.camera, say.figure(area.visits), " · ".join(parts), share(area.visits, most))


def _windows(windows: Sequence[WindowUse], *, say: Speech) -> Iterator[UseRow]:
    most = max((window.passed_by for window in windows), default=0)
    for window in windows:
        came = say("window_came", people=say.figure(window.came_in))
        if window.captured_percent is not None:
            came += f" ({say.percent(window.captured_percent)})"
        detail = f"{came} · {say('window_stopped', people=say.figure(window.stopped))}"
        yield UseRow(window.area, window.camera, say.figure(window.passed_by), detail, share(window.passed_by, most))


def _paths(paths: Sequence[PathUse], *, say: Speech) -> Iterator[UseRow]:
    for path in paths:
        name = f"{path.origin} → {path.destination}"
        yield UseRow(name, path.camera, say.figure(path.people), "", share(path.people, paths[0].people))


def _heat(heat: HeatMap, *, k: str, say: Speech) -> HeatRow:
    return HeatRow(
        name=heat.camera,
        summary=_heat_summary(heat, k=k, say=say),
        level_1=_cells(heat, 1),
        level_2=_cells(heat, 2),
        level_3=_cells(heat, 3),
        level_4=_cells(heat, 4),
        outlines="".join(_outline(outline) for outline in heat.outlines),
        marks=tuple(_mark(outline) for outline in heat.outlines),
    )


def _heat_summary(heat: HeatMap, *, k: str, say: Speech) -> str:
    if not heat.cells:
        return say.of_record("heat_few", k=k)
    most = max(heat.cells, key=lambda cell: cell.level)
    third = 3 * most.row // heat.rows * 3 + 3 * most.column // heat.columns
    parts = [say("heat_most", spot=say("spots").split("|")[third])]
    if heat.spent_s is not None:
        parts.append(say("heat_spent", span=say.span(heat.spent_s)))
    return (" " if say.language == "en" else "").join(parts)


def _cells(heat: HeatMap, level: int) -> str:
    """The cells of a level as one SVG path, each a rectangle."""
    width, height = _HEAT_WIDTH / heat.columns, _HEAT_HEIGHT / heat.rows
    return "".join(
        f"M{cell.column * width:.4g} {cell.row * height:.4g}h{width:.4g}v{height:.4g}h-{width:.4g}z"
        for cell in heat.cells
        if cell.level == level
    )


def _outline(outline: Outline) -> str:
    points = [f"{x * _HEAT_WIDTH:.4g} {y * _HEAT_HEIGHT:.4g}" for x, y in outline.points]
    return f"M{'L'.join(points)}" + ("z" if len(points) > 2 else "")


def _mark(outline: Outline) -> MarkRow:
    """The name in the middle of what it names, as far inside the map as there is room."""
    x, y = (sum(part) / len(outline.points) for part in zip(*outline.points, strict=True))
    text = outline.name if len(outline.name) <= _MARK_CHARS else f"{outline.name[: _MARK_CHARS - 1]}…"
    reach = 1.6 * len(text)  # about half of its width
    return MarkRow(
        x=f"{min(max(x * _HEAT_WIDTH, reach), _HEAT_WIDTH - reach):.4g}",
        y=f"{min(max(y * _HEAT_HEIGHT, 6), _HEAT_HEIGHT - 3):.4g}",
        text=text,
    )
