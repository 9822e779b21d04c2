"""The shopper's own page in words: each purpose with its state, what was asked, what has happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.consent.act import acts_of
from edge.consent.choices import PurposeView, SessionCode, SubjectView
from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.visit import Visit
from edge.consent.ledger import Entry
from edge.consent.purposes import Purpose
from edge.consent.subject import Subject
from edge.consent.tickets import Ticket

__all__ = ["HistoryLine", "OwnPage", "PurposeRow", "history_lines", "own_page"]

Shown = Literal["on", "ask_again", "off"]


@dataclass(frozen=True, slots=True)
class PurposeRow:
    """One purpose as the shopper's page shows it. `state` is a sentence, `until` the last day, both may be empty."""

    purpose: Purpose
    shown: Shown
    state: str
    until: str
    to_take_back: bool


@dataclass(frozen=True, slots=True)
class OwnPage:
    """The shopper's own page."""

    rows: tuple[PurposeRow, ...]
    on: int
    to_take_back: int
    tickets: tuple[Ticket, ...]
    short_code: SessionCode | None
    seconds_left: int


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Something that happened, and when. `receipt_of`: the act that a receipt can be had of, at the first line of each."""

    at: datetime
    words: str
    where: str
    receipt_of: str | None = None


def own_page(visit: Visit, *, desk: Desk, view: SubjectView, subject: Subject) -> OwnPage:
    """How everything stands for `subject`."""
    rows = tuple(_rows(visit, desk=desk, view=view))
    code = visit.stay.short_code if visit.stay else None
    left = int((code.expires_at - visit.at).total_seconds()) if code else 0
    return OwnPage(
        rows=rows,
        on=sum(row.shown == "on" for row in rows),
        to_take_back=sum(row.to_take_back for row in rows),
        tickets=tuple(reversed(desk.registry.tickets(subject))),
        short_code=code if left > 0 else None,
        seconds_left=left,
    )


def _rows(visit: Visit, *, desk: Desk, view: SubjectView) -> Iterator[PurposeRow]:
    known = {each.purpose: each for each in view.purposes}
    for purpose in desk.purposes.individual():
        each = known.get(purpose.id) or PurposeView(purpose=purpose.id, state="none")
        yield _row(purpose, each, visit=visit)
    for each in view.purposes:
        content = desk.registry.notice(each.notice) if each.notice and each.purpose not in desk.purposes else None
        if content is not None and each.state == "granted":  # asked no more, but still there to be taken back
            yield _row(Purpose.of_content(content), each, visit=visit)


def _row(purpose: Purpose, each: PurposeView, *, visit: Visit) -> PurposeRow:
    return PurposeRow(purpose, _shown(each), _state(each, visit), _until(each, visit), each.state == "granted")


def _shown(each: PurposeView) -> Shown:
    if each.state not in {"granted", "expired"}:
        return "off"
    return "ask_again" if each.ask_again or each.state == "expired" else "on"


def _state(each: PurposeView, visit: Visit) -> str:
    say = visit.say
    if each.state == "granted" and each.notice_changed:
        return say("state_notice_changed")
    if each.state == "expired" or each.ask_again:
        return say("state_expired")
    day = say.day(each.since) if each.since else ""
    return say(f"state_{each.state}", date=day) if day else say("state_none")


def _until(each: PurposeView, visit: Visit) -> str:
    on = each.state == "granted" and not each.ask_again and each.expires_at
    return visit.say("until", date=visit.say.day(each.expires_at)) if on and each.expires_at else ""


def history_lines(entries: tuple[Entry, ...], *, desk: Desk, visit: Visit) -> tuple[HistoryLine, ...]:
    """A subject's entries in words, newest first."""
    last = {act.decisions[-1].seq: act.id for act in acts_of(entries)}
    return tuple(_line(entry, desk=desk, visit=visit, receipt_of=last.get(entry.seq)) for entry in reversed(entries))


def _line(entry: Entry, *, desk: Desk, visit: Visit, receipt_of: str | None) -> HistoryLine:
    language = visit.look.language
    known = entry.purpose is not None and entry.purpose in desk.purposes
    title = desk.purposes.purpose(entry.purpose).text[language].title if known and entry.purpose else entry.purpose
    channel = entry.details.get("channel")
    place = visit.say(f"place_{channel}") if channel else ""
    return HistoryLine(entry.at, visit.say(f"history_{entry.kind}", purpose=title or ""), place, receipt_of)
