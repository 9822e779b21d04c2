"""The panel "What leaves this shop" put into words."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from edge.clock import from_epoch_s
from edge.web.figures import Budget, OutboxState, Today
from edge.web.language import Speech
from edge.web.view import BudgetRow, FactRow, LeavingView

__all__ = ["present_leaving"]

_METRICS = {
    "visits": "metric_visits",
    "zone_entries": "metric_zone_entries",
    "mood": "metric_mood",
    "sizes": "metric_sizes",
    "area_visits": "metric_area_visits",
    "dwell": "metric_dwell",
    "queue_waits": "metric_queue_waits",
    "paths": "metric_paths",
    "capture": "metric_capture",
    "groups": "metric_groups",
    "heat": "metric_heat",
    "consents": "metric_consents",
}
_ALWAYS_SHOWN = "visits"


def present_leaving(today: Today, *, say: Speech) -> LeavingView:
    """Headquarters, outbox, releases and privacy budget of `today`."""
    releases = today.releases
    return LeavingView(
        why=say("what_leaves_why", k=say.number(releases.k)),
        facts=(
            _headquarters(today, say=say),
            FactRow(say("events_waiting"), _waiting(today, say=say)),
            FactRow(say("room_left"), _room(today.outbox, say=say)),
            FactRow(say("released_today"), say.figure(releases.released)),
            FactRow(say("suppressed_today"), say.figure(releases.suppressed)),
            *_refused(today.outbox, say=say),
        ),
        budgets=tuple(
            _budget(budget, say=say) for budget in releases.budgets if budget.spent or budget.metric == _ALWAYS_SHOWN
        ),
    )


def _headquarters(today: Today, *, say: Speech) -> FactRow:
    state, value = _uplink(today, say=say)
    return FactRow(say("headquarters"), value, state)


def _uplink(today: Today, *, say: Speech) -> tuple[str, str]:
    outbox = today.outbox
    if not outbox.hq_configured:
        return "idle", say("hq_not_set")
    if outbox.sync == "absent":
        return "idle", say("sync_absent")
    if outbox.sync == "unreadable":
        return "trouble", say("sync_unreadable")
    if outbox.last_error is not None:
        return "trouble", _lost(today, say=say)
    if outbox.last_success_s is None:
        return "idle", say("hq_waiting")
    return "ok", say("hq_reached", ago=say.ago(today.at.timestamp() - outbox.last_success_s))


def _lost(today: Today, *, say: Speech) -> str:
    """Since when headquarters is out of reach. The error itself is for the log: it names addresses, and in English."""
    success_s = today.outbox.last_success_s
    if success_s is None:
        return say("hq_never")
    return say("hq_lost", time=say.moment(from_epoch_s(success_s).astimezone(ZoneInfo(today.timezone)), now=today.at))


def _waiting(today: Today, *, say: Speech) -> str:
    outbox = today.outbox
    if not outbox.waiting or outbox.oldest_s is None:
        return say.of_record("nothing_waiting")
    return say("oldest_waiting", events=say.number(outbox.waiting), ago=say.ago(today.at.timestamp() - outbox.oldest_s))


def _refused(outbox: OutboxState, *, say: Speech) -> Iterator[FactRow]:
    """Said only when there is something to say: it should never happen."""
    if outbox.refused:
        yield FactRow(say("refused_by_hq"), say.number(outbox.refused), "trouble")


def _room(outbox: OutboxState, *, say: Speech) -> str:
    match outbox.space, outbox.hours_left:
        case "plenty", _:
            return say.of_record("room_plenty")
        case "hours", float() as hours:
            return say("room_about", span=say.span(hours * 3600)) if hours > 0 else say("room_none")
        case _:
            return say("room_unknown")


def _budget(budget: Budget, *, say: Speech) -> BudgetRow:
    text = say.of_record("budget_of", spent=f"{budget.spent:,.6g}", limit=f"{budget.limit:,.6g}")
    width = f"{min(100.0, 100 * budget.spent / budget.limit):.3g}"
    label = say(_METRICS[budget.metric]) if budget.metric in _METRICS else budget.metric
    return BudgetRow(label, text, width)
