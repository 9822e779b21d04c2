"""Today's figures put into words: `Today` to `View`, in one language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from edge.clock import from_epoch_s
from edge.web.figures import CAMERA_KINDS, MOOD_LEVELS, CurrencySales, DeadLetters, NoticeLapse, Today
from edge.web.language import Speech
from edge.web.present_devices import present_device_notices, present_devices, present_pictures, say_devices
from edge.web.present_floor import present_capture, present_floor, present_waiting
from edge.web.present_footfall import (
    NO_CHART,
    present_entrances,
    present_hours,
    present_lately,
    say_drift,
    say_occupancy,
)
from edge.web.present_leaving import present_leaving
from edge.web.share import share
from edge.web.view import BoxView, FactRow, MoodRow, NoticeRow, SalesRow, View, ZoneRow

__all__ = ["present"]

_QUIET_S = 180
_MOODS = ("mood_1", "mood_2", "mood_3", "mood_4", "mood_5")


def present(today: Today, *, say: Speech) -> View:
    """The page for `today` in the language of `say`. Without a readable record its figures are dashes, not zeros."""
    say = say if today.record == "ready" else say.unsure()
    footfall = today.footfall
    # Where nobody counts, no visitors is as little known as where the record cannot be read.
    count = say if footfall.is_counted else say.unsure()
    entered, left, occupancy = (count.figure(n) for n in (footfall.entered, footfall.left, footfall.occupancy))
    no_entrances = _no_entrances(today, say=say)
    zones = tuple(_zones(today, say=say))
    return View(
        title=say("page_title", visitors=entered, store=today.store_name),
        store_name=today.store_name,
        date=say.weekday_date(today.day),
        clock=say.clock(today.at, with_seconds=True),
        summary=say("summary", visitors=entered, occupancy=occupancy),
        notices=tuple(_notices(today, say=say)),
        visitors=entered,
        visitors_detail=say("in_and_out", entered=entered, left=left) if footfall.is_counted else no_entrances,
        occupancy=occupancy,
        occupancy_detail=say_occupancy(today, say=say) if footfall.is_counted else "",
        waiting=present_waiting(today.floor, say=say),
        capture=present_capture(today.floor, say=say),
        sales=tuple(_sales(sales, say=say) for sales in today.sales),
        no_sales="" if today.sales else say.of_record("no_sales"),
        conversion=_conversion(today, say=say),
        hours=present_hours(today, say=say) if footfall.is_counted else NO_CHART,
        chart=present_lately(today, say=say) if footfall.is_counted else NO_CHART,
        entrances=tuple(present_entrances(footfall, say=say)),
        no_entrances=no_entrances,
        company=_company(footfall.in_company_percent, say=say),
        drift=say_drift(today, say=say),
        floor=present_floor(today.floor, say=say),
        zones=zones,
        no_zones="" if zones else say("no_zones"),
        mood=tuple(_mood(today.mood, say=say)),
        mood_average=_mood_average(today.mood, say=say),
        devices=tuple(present_devices(today, say=say)),
        devices_summary=say_devices(today.devices, say=say),
        pictures=present_pictures(today, say=say),
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
    if written_s is not None:
        yield from present_device_notices(today, say=say)
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


def _no_entrances(today: Today, *, say: Speech) -> str:
    if today.footfall.entrances:
        return ""
    has_camera = any(device.kind in CAMERA_KINDS for device in today.devices)
    return say("no_entrances" if has_camera else "no_cameras")


def _company(percent: int | None, *, say: Speech) -> str:
    return "" if percent is None else say("in_company", percent=say.percent(percent))


def _zones(today: Today, *, say: Speech) -> Iterator[ZoneRow]:
    most = max((zone.entries for zone in today.zones), default=0)
    for zone in today.zones:
        yield ZoneRow(zone.name, say.figure(zone.entries), share(zone.entries, most))


def _mood(counts: tuple[int, ...], *, say: Speech) -> Iterator[MoodRow]:
    """Best first; nothing while nobody has answered."""
    if not any(counts):
        return
    for level, count in sorted(zip(MOOD_LEVELS, counts, strict=True), reverse=True):
        yield MoodRow(f"#face-{level}", say(_MOODS[level - 1]), say.number(count), share(count, max(counts)))


def _mood_average(counts: tuple[int, ...], *, say: Speech) -> str:
    answers = sum(counts)
    if not answers:
        return say.of_record("no_mood")
    average = sum(level * count for level, count in zip(MOOD_LEVELS, counts, strict=True)) / answers
    return say("mood_average", average=f"{average:.1f}", answers=say.number(answers))


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


def _local(seconds: float, today: Today) -> datetime:
    return from_epoch_s(seconds).astimezone(ZoneInfo(today.timezone))
