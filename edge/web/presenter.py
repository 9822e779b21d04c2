"""Today's figures put into words: `Today` to `View`, in one language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from edge.clock import epoch_s, from_epoch_s
from edge.web import chart
from edge.web.figures import (
    MOOD_LEVELS,
    CurrencySales,
    DeadLetters,
    DeviceSeen,
    Footfall,
    NoticeLapse,
    Today,
    WindowCount,
)
from edge.web.language import Speech
from edge.web.present_leaving import present_leaving
from edge.web.view import (
    BarRow,
    BoxView,
    ChartView,
    DeviceRow,
    FactRow,
    LineRow,
    MoodRow,
    NoticeRow,
    SalesRow,
    View,
    ZoneRow,
)

__all__ = ["present"]

_QUIET_S = 180
_TICKS = 5
_KINDS = {
    "camera": "kind_camera",
    "mirror": "kind_mirror",
    "pos": "kind_pos",
    "kiosk": "kind_kiosk",
    "frigate": "kind_frigate",
}
_STATES = {"online": "state_online", "offline": "state_offline", "never": "state_never"}
_MOODS = ("mood_1", "mood_2", "mood_3", "mood_4", "mood_5")


def present(today: Today, *, say: Speech) -> View:
    """The page for `today` in the language of `say`. Without a readable record its figures are dashes, not zeros."""
    say = say if today.record == "ready" else say.unsure()
    footfall = today.footfall
    entered, left, occupancy = (say.figure(n) for n in (footfall.entered, footfall.left, footfall.occupancy))
    lines = tuple(_lines(today, say=say))
    zones = tuple(_zones(today, say=say))
    return View(
        title=say("page_title", visitors=entered, store=today.store_name),
        store_name=today.store_name,
        date=say.weekday_date(today.day),
        clock=say.clock(today.at, with_seconds=True),
        summary=say("summary", visitors=entered, occupancy=occupancy),
        notices=tuple(_notices(today, say=say)),
        visitors=entered,
        visitors_detail=say("in_and_out", entered=entered, left=left),
        occupancy=occupancy,
        sales=tuple(_sales(sales, say=say) for sales in today.sales),
        no_sales="" if today.sales else say.of_record("no_sales"),
        conversion=_conversion(today, say=say),
        chart=_chart(footfall, timezone=today.timezone, say=say),
        lines=lines,
        no_lines="" if lines else say("no_doors"),
        zones=zones,
        no_zones="" if zones else say("no_zones"),
        mood=tuple(_mood(today.mood, say=say)),
        mood_average=_mood_average(today.mood, say=say),
        devices=tuple(_device(device, today=today, say=say) for device in today.devices),
        devices_summary=_devices_summary(today.devices, say=say),
        leaving=present_leaving(today, say=say),
        box=_box(today, say=say),
    )


def _notices(today: Today, *, say: Speech) -> Iterator[NoticeRow]:
    written_s = today.work.last_written_s
    if today.record == "absent":
        yield NoticeRow("info", say("gateway_absent"))
    elif today.record == "unreadable":
        yield NoticeRow("warn", say("gateway_unreadable"))
    elif written_s is None:
        yield NoticeRow("info", say("no_device_yet"))
    elif today.at.timestamp() - written_s > _QUIET_S:
        yield NoticeRow("warn", say("gateway_quiet", time=say.moment(_local(written_s, today), now=today.at)))
    for lapse in today.notice_lapses:
        yield NoticeRow("warn", _lapse(lapse, today=today, say=say))


def _lapse(lapse: NoticeLapse, *, today: Today, say: Speech) -> str:
    if lapse.attested_on is None:
        return say("notice_missing", zone=lapse.name)
    message_id = "notice_future" if lapse.attested_on > today.day else "notice_expired"
    return say(message_id, zone=lapse.name, date=say.day(lapse.attested_on))


def _sales(sales: CurrencySales, *, say: Speech) -> SalesRow:
    parts = [say("sales_detail", sales=say.number(sales.sales), units=say.number(sales.units))]
    if sales.returns:
        parts.append(say("sales_returns", returns=say.number(sales.returns)))
    if sales.voids:
        parts.append(say("sales_voids", voids=say.number(sales.voids)))
    return SalesRow(say.money(sales.total_minor, currency=sales.currency), " · ".join(parts))


def _conversion(today: Today, *, say: Speech) -> str:
    """Sales per hundred visitors; empty where nobody was counted or nothing sold."""
    sales = sum(currency.sales for currency in today.sales)
    if not sales or not today.footfall.entered:
        return ""
    return say("conversion", rate=say.number(round(100 * sales / today.footfall.entered)))


def _chart(footfall: Footfall, *, timezone: str, say: Speech) -> ChartView:
    with_seconds = footfall.window_s < 60
    times = [
        say.clock(from_epoch_s(window.start_s).astimezone(ZoneInfo(timezone)), with_seconds=with_seconds)
        for window in footfall.windows
    ]
    peak = max((max(window.entered, window.left) for window in footfall.windows), default=0)
    span = say.span(len(footfall.windows) * footfall.window_s)
    last = len(times) - 1
    return ChartView(
        caption=say("chart_caption", span=span, length=say.length(footfall.window_s)),
        summary=_chart_summary(footfall.windows, times, span=span, say=say),
        scale=say.number(chart.scale(peak)),
        bars=tuple(
            BarRow(
                transform=f"translate({bar.x} 0)",
                in_y=f"{bar.in_y:g}",
                in_height=f"{bar.in_height:g}",
                out_height=f"{bar.out_height:g}",
                label=say("bar_label", time=time, entered=say.figure(window.entered), left=say.figure(window.left)),
                time=time,
                entered=say.figure(window.entered),
                left=say.figure(window.left),
            )
            for bar, window, time in zip(chart.bars(footfall.windows), footfall.windows, times, strict=True)
        ),
        ticks=tuple(times[round(last * tick / (_TICKS - 1))] for tick in range(_TICKS)),
    )


def _chart_summary(windows: tuple[WindowCount, ...], times: list[str], *, span: str, say: Speech) -> str:
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


def _lines(today: Today, *, say: Speech) -> Iterator[LineRow]:
    for line in today.footfall.lines:
        yield LineRow(line.line or line.camera, line.camera, say.figure(line.entered), say.figure(line.left))


def _zones(today: Today, *, say: Speech) -> Iterator[ZoneRow]:
    most = max((zone.entries for zone in today.zones), default=0)
    for zone in today.zones:
        yield ZoneRow(zone.name, say.figure(zone.entries), _share(zone.entries, most))


def _mood(counts: tuple[int, ...], *, say: Speech) -> Iterator[MoodRow]:
    """Best first; nothing while nobody has answered."""
    if not any(counts):
        return
    for level, count in sorted(zip(MOOD_LEVELS, counts, strict=True), reverse=True):
        yield MoodRow(f"#face-{level}", say(_MOODS[level - 1]), say.number(count), _share(count, max(counts)))


def _mood_average(counts: tuple[int, ...], *, say: Speech) -> str:
    answers = sum(counts)
    if not answers:
        return say.of_record("no_mood")
    average = sum(level * count for level, count in zip(MOOD_LEVELS, counts, strict=True)) / answers
    return say("mood_average", average=f"{average:.1f}", answers=say.number(answers))


def _device(device: DeviceSeen, *, today: Today, say: Speech) -> DeviceRow:
    details = [device.zone] if device.zone else []
    if device.last_seen_s is not None:
        details.append(say("last_heard", ago=say.ago(epoch_s(today.at) - device.last_seen_s)))
    if device.people_visible is not None:
        details.append(say("people_in_view", people=say.number(device.people_visible)))
    if device.firmware:
        details.append(device.firmware)
    kind = say(_KINDS[device.kind]) if device.kind in _KINDS else device.kind
    return DeviceRow(device.id, kind, device.state, say(_STATES[device.state]), " · ".join(details))


def _devices_summary(devices: tuple[DeviceSeen, ...], *, say: Speech) -> str:
    if not devices:
        return say("no_devices")
    total, away = len(devices), sum(device.state != "online" for device in devices)
    if away:
        return say("devices_some_away", away=say.number(away), total=say.number(total))
    return say("devices_all_well", total=say.number(total))


def _box(today: Today, *, say: Speech) -> BoxView:
    work = today.work
    delay = say("unknown_figure")
    if work.latency_p50_ms is not None and work.latency_p99_ms is not None:
        delay = say("delay_of", p50=say.milliseconds(work.latency_p50_ms), p99=say.milliseconds(work.latency_p99_ms))
    return BoxView(
        (
            FactRow(say("frames_analysed"), say.figure(work.frames)),
            FactRow(say("frames_still"), say.figure(work.frames_still)),
            FactRow(say("frames_skipped"), say.figure(work.frames_dropped)),
            FactRow(say("messages_stored"), say.figure(work.messages)),
            FactRow(say("letters_refused"), _refused(today.dead_letters, say=say)),
            FactRow(say("delay"), delay),
        )
    )


def _refused(letters: tuple[DeadLetters, ...], *, say: Speech) -> str:
    """How many, and why: `3 · too-large`, or with several reasons `5 · too-large 3, malformed 2`."""
    total = say.figure(sum(of.count for of in letters))
    if len(letters) == 1:
        return f"{total} · {letters[0].reason}"
    return " · ".join(filter(None, (total, ", ".join(f"{of.reason} {say.number(of.count)}" for of in letters))))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g}" if whole else "0"


def _local(seconds: float, today: Today) -> datetime:
    return from_epoch_s(seconds).astimezone(ZoneInfo(today.timezone))
