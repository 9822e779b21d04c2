"""Reads what leaves the shop: the outbox on its way to HQ, and what the release gate let through or held back today."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from edge.clock import epoch_s
from edge.outbox.table import Waiting, waiting
from edge.settings import Settings
from edge.web.figures import Budget, OutboxState, Releases
from edge.web.source import Source
from edge.windows import PEOPLE_METRICS, Metric

__all__ = ["read_outbox", "read_releases"]

_MB = 1_000_000
_RATE_SPAN_S = 3600
_SHORTEST_RATE_SPAN_S = 60
_PLENTY_H = 30 * 24
_ERROR_CHARS = 160


def read_outbox(settings: Settings, *, store: Source, sync: Source, at: datetime) -> OutboxState:
    """What waits for HQ past the position it has acknowledged, and for how long there is room."""
    # A store.db made anew counts from 1 again; a position that belongs to its former life says nothing of it.
    life = [row["incarnation"] for row in store.rows("SELECT incarnation FROM identity")]
    acknowledged = _first(
        sync.rows("SELECT acknowledged_sequence FROM position WHERE incarnation = ?", *life) if life else [], default=0
    )
    queued = store.read(lambda sql: waiting(sql, after=acknowledged), otherwise=Waiting(0, None, 0))
    stored_bytes = _first(store.rows("SELECT coalesce(sum(length(event)), 0) FROM outbox"), default=0)
    limit_bytes = settings.storage.outbox_max_mb * _MB
    free_bytes = min(max(0, limit_bytes - stored_bytes), _disk_free(settings.state))
    space, hours_left = _space(store, queued, free_bytes=free_bytes, now_s=epoch_s(at))
    uplink = next(iter(sync.rows("SELECT last_success_s, last_attempt_s, last_error FROM uplink_state")), None)
    return OutboxState(
        waiting=queued.events,
        oldest_s=queued.oldest_s,
        waiting_bytes=queued.bytes,
        limit_bytes=limit_bytes,
        space=space,
        hours_left=hours_left,
        refused=_first(sync.rows("SELECT count(*) FROM rejected_events"), default=0),
        hq_configured=settings.hq.url is not None,
        sync=sync.record,
        last_success_s=uplink["last_success_s"] if uplink else None,
        last_attempt_s=uplink["last_attempt_s"] if uplink else None,
        last_error=str(uplink["last_error"])[:_ERROR_CHARS] if uplink and uplink["last_error"] else None,
    )


def read_releases(settings: Settings, store: Source, *, day: date) -> Releases:
    """The day's releases and suppressions, and the budget of each metric that counts people.

    Every count (a line in one direction, a zone) has a budget of its own; a metric shows the one that has spent most.
    """
    spent: dict[str, float] = defaultdict(float)
    outcomes: dict[str, int] = defaultdict(int)
    for row in store.rows(
        """SELECT metric, sum(outcome = 'released') AS released, sum(outcome = 'suppressed') AS suppressed,
           sum(epsilon) AS epsilon FROM releases WHERE day = ? GROUP BY metric, place, key""",
        day.isoformat(),
    ):
        spent[row["metric"]] = max(spent[row["metric"]], row["epsilon"])
        outcomes["released"] += row["released"]
        outcomes["suppressed"] += row["suppressed"]
    limit = settings.privacy.epsilon_per_day
    metrics = [metric for metric in Metric if metric in PEOPLE_METRICS]
    return Releases(
        released=outcomes["released"],
        suppressed=outcomes["suppressed"],
        budgets=tuple(Budget(metric.value, spent[metric], limit) for metric in metrics),
        k=settings.privacy.k,
    )


def _space(
    store: Source, queued: Waiting, *, free_bytes: int, now_s: int
) -> tuple[Literal["plenty", "hours", "unknown"], float | None]:
    """Room for how many hours more at the last hour's pace; plenty while nothing waits, or past a month."""
    if free_bytes == 0:
        return "hours", 0.0
    if queued.events == 0:
        return "plenty", None
    recent = store.rows(
        "SELECT min(enqueued_s) AS since_s, sum(length(event)) AS size FROM outbox WHERE enqueued_s > ?",
        now_s - _RATE_SPAN_S,
    )
    if not recent or not recent[0]["size"]:
        return "unknown", None
    elapsed_s = max(_SHORTEST_RATE_SPAN_S, now_s - recent[0]["since_s"])
    hours = free_bytes / recent[0]["size"] * elapsed_s / 3600
    return ("plenty", None) if hours > _PLENTY_H else ("hours", hours)


def _disk_free(folder: Path) -> int:
    """Bytes the disk has left: a full disk stops the outbox before its own limit does."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 1 << 62  # the folder is not there yet; its disk cannot be what is full


def _first(rows: list[sqlite3.Row], *, default: int) -> int:
    return rows[0][0] if rows else default
