"""A release round: takes closed windows through the release gate into the outbox, in one transaction.

The release record, the budget it spends and the outbox event are written together: either all of them are, or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from edge.clock import epoch_s, from_epoch_s
from edge.outbox.events import CountMetric, CountReleased, SalesWindow
from edge.outbox.table import Outbox
from edge.privacy.release import Budget, PendingWindow, Released, ReleaseGate, Verdict
from edge.settings import Settings
from edge.storage.store import PendingCell, StoreTransaction
from edge.windows import LOCAL_METRICS, PEOPLE_METRICS, Metric

__all__ = ["ReleaseRound"]

CellName = tuple[Metric, str, str]
K = TypeVar("K", bound=Hashable)


class ReleaseRound:
    """Releases what is due. Call `run` every few seconds; a call with nothing due costs one query."""

    def __init__(self, settings: Settings, *, gate: ReleaseGate, outbox: Outbox) -> None:
        self._windows = settings.windows
        self._privacy = settings.privacy
        self._timezone = ZoneInfo(settings.store.timezone)
        self._max_outbox_bytes = settings.storage.outbox_max_mb * 1_000_000
        self._gate = gate
        self._outbox = outbox

    def run(self, tx: StoreTransaction, *, now: datetime) -> int:
        """Release every closed window; the number of events enqueued.

        With the outbox full nothing is released: counts stay in their windows, where they lose nothing and take no more room.
        """
        length_s = self._windows.release_s
        closed_before_s = (epoch_s(now) - self._windows.grace_s) // length_s * length_s
        cells = tx.pending_cells(before_s=closed_before_s)
        self._keep_local(tx, cells)
        if not cells or tx.outbox_bytes() > self._max_outbox_bytes:
            return 0
        people = [cell for cell in cells if cell.metric in PEOPLE_METRICS]
        sales = [cell for cell in cells if cell.metric is Metric.SALES]
        return self._release_people(tx, people, now=now) + self._release_sales(tx, sales, now=now)

    def _keep_local(self, tx: StoreTransaction, cells: list[PendingCell]) -> None:
        """What never leaves is settled when its window closes, so that it is pruned in its time."""
        for cell in cells:
            if cell.metric in LOCAL_METRICS:
                tx.settle(cell, end_s=cell.start_s + 1)

    def _release_people(self, tx: StoreTransaction, cells: list[PendingCell], *, now: datetime) -> int:
        released = 0

        def name_and_day(cell: PendingCell) -> tuple[CellName, str]:
            return (cell.metric, cell.place, cell.key), self._day(cell.start_s)

        for (name, day), of_cell in _grouped(cells, name_and_day):
            metric, place, key = name
            spent = tx.epsilon_spent(day=day, metric=metric, place=place, key=key)
            budget = Budget(self._privacy.epsilon_per_day - spent)
            for verdict in self._gate.judge(self._release_windows(of_cell), budget=budget, now_s=epoch_s(now)):
                released += self._carry_out(tx, name, verdict, day=day, now=now)
        return released

    def _carry_out(self, tx: StoreTransaction, name: CellName, verdict: Verdict, *, day: str, now: datetime) -> int:
        metric, place, key = name
        cell = PendingCell(verdict.start_s, metric, place, key, 0)
        tx.record_release(
            cell,
            end_s=verdict.end_s,
            day=day,
            outcome="released" if isinstance(verdict, Released) else "suppressed",
            epsilon=verdict.epsilon if isinstance(verdict, Released) else 0.0,
            k=self._privacy.k,
            at=now,
        )
        if not isinstance(verdict, Released):
            return 0
        body = CountReleased(
            start=from_epoch_s(verdict.start_s),
            end=from_epoch_s(verdict.end_s),
            metric=_count_metric(metric),
            place=place,
            key=key,
            count=verdict.count,
            epsilon=verdict.epsilon,
            k=self._privacy.k,
        )
        self._outbox.put(tx, body, at=now, historical=self._is_late(verdict.end_s, now=now))
        return 1

    def _release_sales(self, tx: StoreTransaction, cells: list[PendingCell], *, now: datetime) -> int:
        """Sales are the shop's own bookkeeping: exact, one event per till, currency and window."""
        released = 0
        length_s = self._windows.release_s

        def window(cell: PendingCell) -> tuple[int, str, str]:
            return cell.start_s // length_s * length_s, cell.place, cell.key.partition("/")[0]

        for (start_s, till, currency), parts in _grouped(cells, window):
            figures: dict[str, int] = defaultdict(int)
            for part in parts:
                figures[part.key.partition("/")[2]] += part.value
                whole = PendingCell(start_s, part.metric, part.place, part.key, 0)
                tx.settle(whole, end_s=start_s + length_s)
            start, end = from_epoch_s(start_s), from_epoch_s(start_s + length_s)
            body = SalesWindow.model_validate(
                {"start": start, "end": end, "till": till, "currency": currency, **figures}
            )
            self._outbox.put(tx, body, at=now, historical=self._is_late(start_s + length_s, now=now))
            released += 1
        return released

    def _release_windows(self, cells: Iterable[PendingCell]) -> Iterator[PendingWindow]:
        length_s = self._windows.release_s
        for start_s, parts in groupby(cells, key=lambda cell: cell.start_s // length_s * length_s):
            yield PendingWindow(start_s, start_s + length_s, sum(part.value for part in parts))

    def _is_late(self, end_s: int, *, now: datetime) -> bool:
        """A window that should have left in an earlier round already: HQ must not take it for live."""
        return epoch_s(now) - end_s > self._windows.release_s + self._windows.grace_s

    def _day(self, start_s: int) -> str:
        return from_epoch_s(start_s).astimezone(self._timezone).date().isoformat()


def _grouped(cells: Iterable[PendingCell], key: Callable[[PendingCell], K]) -> list[tuple[K, list[PendingCell]]]:
    """Cells by `key`, each group in time order."""
    groups: dict[K, list[PendingCell]] = defaultdict(list)
    for cell in sorted(cells, key=lambda cell: cell.start_s):
        groups[key(cell)].append(cell)
    return list(groups.items())


def _count_metric(metric: Metric) -> CountMetric:
    name = metric.value
    assert name in get_args(CountMetric)  # noqa: S101  PEOPLE_METRICS and CountMetric are one list, a test says so
    return cast("CountMetric", name)
