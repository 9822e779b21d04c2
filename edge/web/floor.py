"""Reads what happened between the doors: areas, queues, shop windows, paths, and where people linger.

A count of people is shown as it is, for those who work here see the people too. What tells how somebody behaved (how long
a stay took, which way it led, where in the picture it was) is held back below the release gate's k, here and not on the
page, so that the API holds no more than the page.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import ceil

from edge.clock import epoch_s
from edge.occupancy import Flow, empty_since, inside
from edge.settings import AreaSettings, CameraSettings, Settings
from edge.web.counts import PlaceCounts
from edge.web.figures import AreaUse, Floor, HeatCell, HeatMap, Outline, PathUse, QueueUse, WindowUse
from edge.web.source import Source
from edge.windows import DURATIONS, Metric

__all__ = ["HEAT_LEVELS", "read_floor"]

HEAT_LEVELS = 4
_LATELY_S = 120
_ENOUGH_MS = 15_000
_NOTICED_MS = 5_000
"""A queue that was so long for less than this had a passer-by in it."""

Counts = Mapping[str, PlaceCounts]


def read_floor(
    settings: Settings, store: Source, counts: Counts, *, at: datetime, visible: Mapping[str, int | None]
) -> Floor:
    """What the areas set up have counted today; `visible` is how many each camera sees now, None while it is silent."""
    places = [(camera, area) for camera in settings.cameras for area in camera.areas]
    k = settings.privacy.k
    present = _present(settings, store, at=at) if places else {}
    lately = _queue_times(store, settings, at=at) if places else {}
    return Floor(
        k=k,
        areas=tuple(
            _area(camera, area, counts, k=k, present=present, visible=visible.get(camera.id))
            for camera, area in places
            if area.kind == "area"
        ),
        queues=tuple(
            _queue(camera, area, counts, k=k, lately=lately) for camera, area in places if area.kind == "queue"
        ),
        windows=tuple(_window(camera, area, counts, k=k) for camera, area in places if area.kind == "window"),
        paths=tuple(_paths(settings, counts, k=k)),
        heat=tuple(_heat(camera, counts, k=k) for camera in settings.cameras if camera.heat),
    )


def _area(
    camera: CameraSettings,
    area: AreaSettings,
    counts: Counts,
    *,
    k: int,
    present: Mapping[str, int],
    visible: int | None,
) -> AreaUse:
    place = f"{camera.id}/{area.name}"
    return AreaUse(
        camera=camera.id,
        area=area.name,
        visits=_sum(counts, Metric.AREA_VISITS, place),
        # No more can be in a part of the picture than are in all of it: a stay whose end was lost does not last for ever.
        present=None if visible is None else min(visible, present.get(place, 0)),
        typical_stay=_median(counts.get(Metric.DWELL, {}), place, k=k),
    )


def _queue(
    camera: CameraSettings, area: AreaSettings, counts: Counts, *, k: int, lately: Mapping[str, Counter[int]]
) -> QueueUse:
    place = f"{camera.id}/{area.name}"
    times = lately.get(place)
    lengths = [
        int(key) for (of, key), ms in counts.get(Metric.QUEUE_TIME, {}).items() if of == place and ms >= _NOTICED_MS
    ]
    return QueueUse(
        camera=camera.id,
        area=area.name,
        joined=_sum(counts, Metric.AREA_VISITS, place),
        waiting=None if times is None else round(sum(n * ms for n, ms in times.items()) / times.total()),
        longest=max(lengths, default=None),
        typical_wait=_median(counts.get(Metric.QUEUE_WAITS, {}), place, k=k),
    )


def _window(camera: CameraSettings, area: AreaSettings, counts: Counts, *, k: int) -> WindowUse:
    place = f"{camera.id}/{area.name}"
    capture = counts.get(Metric.CAPTURE, {})
    passed_by, came_in = capture.get((place, "passed_by"), 0), capture.get((place, "came_in"), 0)
    return WindowUse(
        camera=camera.id,
        area=area.name,
        passed_by=passed_by,
        came_in=came_in,
        stopped=_sum(counts, Metric.AREA_VISITS, place),
        captured_percent=min(100, round(100 * came_in / passed_by)) if passed_by >= max(1, k) else None,
    )


def _present(settings: Settings, store: Source, *, at: datetime) -> dict[str, int]:
    """Visits begun and not ended, by place, since the shop was empty."""
    empty = empty_since(at, closes_at=settings.store.closes_at, timezone=settings.store.timezone)
    flows: dict[str, list[Flow]] = defaultdict(list)
    for row in store.rows(
        """SELECT place, start_s, sum(value * (metric = ?)) AS come, sum(value * (metric <> ?)) AS gone FROM windows
           WHERE start_s >= ? AND metric IN (?, ?) GROUP BY place, start_s""",
        Metric.AREA_VISITS.value,
        Metric.AREA_VISITS.value,
        epoch_s(empty),
        Metric.AREA_VISITS.value,
        Metric.DWELL.value,
    ):
        flows[row["place"]].append(Flow(row["start_s"], row["come"], row["gone"]))
    return {place: inside(found) for place, found in flows.items()}


def _queue_times(store: Source, settings: Settings, *, at: datetime) -> dict[str, Counter[int]]:
    """How long, in ms, each queue was how long in the latest windows that hold enough of it."""
    times: dict[str, Counter[int]] = defaultdict(Counter)
    begun: dict[str, int] = {}
    for row in store.rows(
        "SELECT start_s, place, key, value FROM windows WHERE start_s > ? AND metric = ? ORDER BY start_s DESC",
        epoch_s(at) - _LATELY_S - settings.windows.local_s,
        Metric.QUEUE_TIME.value,
    ):
        found = times[row["place"]]
        if found.total() < _ENOUGH_MS or begun[row["place"]] == row["start_s"]:
            found[int(row["key"])] += row["value"]
            begun[row["place"]] = row["start_s"]
    return {place: found for place, found in times.items() if found.total()}


def _paths(settings: Settings, counts: Counts, *, k: int) -> Iterator[PathUse]:
    """Paths that k or more have taken, the most trodden first."""
    watched = {f"{camera.id}/{area.name}" for camera in settings.cameras for area in camera.areas}
    taken = sorted(counts.get(Metric.PATHS, {}).items(), key=lambda item: (-item[1], item[0]))
    for (place, destination), people in taken:
        camera, _, origin = place.partition("/")
        if people >= k and {place, f"{camera}/{destination}"} <= watched:
            yield PathUse(camera, origin, destination, people)


def _heat(camera: CameraSettings, counts: Counts, *, k: int) -> HeatMap:
    assert camera.heat is not None  # noqa: S101  asked for only where it is set
    columns, rows = camera.heat.columns, camera.heat.rows
    warmed = {
        (int(column), int(row)): people
        for (place, key), people in counts.get(Metric.HEAT, {}).items()
        for column, _, row in [key.partition(",")]
        if place == camera.id and people >= k and int(column) < columns and int(row) < rows
    }
    most = max(warmed.values(), default=1)
    return HeatMap(
        camera=camera.id,
        columns=columns,
        rows=rows,
        cells=tuple(
            HeatCell(column, row, ceil(HEAT_LEVELS * people / most)) for (column, row), people in sorted(warmed.items())
        ),
        spent_s=_sum(counts, Metric.HEAT_TIME, camera.id) // 1000 if warmed else None,
        outlines=tuple(_outlines(camera)),
    )


def _outlines(camera: CameraSettings) -> Iterator[Outline]:
    for area in camera.areas:
        if area.kind != "staff":
            yield Outline(area.name, area.polygon)
    for line in camera.lines:
        if line.kind != "staff":
            yield Outline(line.entrance or line.name, line.points)


def _sum(counts: Counts, metric: Metric, place: str) -> int:
    return sum(value for (of, _), value in counts.get(metric, {}).items() if of == place)


def _median(durations: PlaceCounts, place: str, *, k: int) -> str | None:
    """The key among `DURATIONS` that holds the median; None of fewer than k."""
    values = [durations.get((place, key), 0) for key in DURATIONS]
    total = sum(values)
    if not total or total < k:
        return None
    below = 0
    for key, value in zip(DURATIONS, values, strict=True):
        below += value
        if 2 * below >= total:
            return key
    return None
