"""The figures HQ has of its stores: windows added up as events come, sums read out of them.

Folding only ever adds, so late and `historical` events may come in any order and overwrite nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud_sync.hq.schema import count_windows, erasures, events, sales_windows, tickets
from edge.clock import epoch_s
from edge.outbox.events import CountReleased, Event, SalesWindow

__all__ = ["SALES_FIGURES", "add_to_figures", "summary"]

SALES_FIGURES = ("sales", "returns", "voids", "units", "total_minor", "tax_minor")
"""What is summed of each till and currency; the last two in minor units."""


def add_to_figures(connection: Connection, store: str, new: Sequence[Event]) -> None:
    """Add events that HQ did not have to the windows, inside the transaction that keeps them."""
    bodies = [event.data for event in new]
    counts = [_count_row(store, body) for body in bodies if isinstance(body, CountReleased)]
    sales = [_sales_row(store, body) for body in bodies if isinstance(body, SalesWindow)]
    _add(connection, count_windows, ("value",), counts)
    _add(connection, sales_windows, SALES_FIGURES, sales)


def summary(connection: Connection, store: str) -> dict[str, Any]:
    """Everything HQ has of `store`, added up: what a closing account compares with what was sent."""
    source = f"threshold/stores/{store}"
    of_store = select(func.count(), func.min(events.c.sequence), func.max(events.c.sequence))
    total, first, last = connection.execute(of_store.where(events.c.source == source)).one()
    by_type = select(events.c.type, func.count()).where(events.c.source == source).group_by(events.c.type)
    return {
        "store": store,
        "events": total,
        "by_type": dict(sorted((row[0], row[1]) for row in connection.execute(by_type))),
        "first_sequence": first,
        "last_sequence": last,
        "counts": _counts(connection, store),
        "sales": _sales(connection, store),
        "tickets": _rows(connection, tickets, store),
        "erasures": _rows(connection, erasures, store),
    }


def _count_row(store: str, body: CountReleased) -> dict[str, Any]:
    cell = {"metric": body.metric, "place": body.place, "key": body.key}
    return {"store": store, "start_s": epoch_s(body.start), "end_s": epoch_s(body.end), **cell, "value": body.count}


def _sales_row(store: str, body: SalesWindow) -> dict[str, Any]:
    window = {"store": store, "start_s": epoch_s(body.start), "end_s": epoch_s(body.end)}
    figures = {name: getattr(body, name) for name in SALES_FIGURES}
    return {**window, "till": body.till, "currency": body.currency, **figures}


def _add(connection: Connection, table: Table, figures: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Insert rows, or add their `figures` to the row of the same window."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in figures}
    connection.execute(statement.on_conflict_do_update(index_elements=[*table.primary_key.columns], set_=added), rows)


def _rows(connection: Connection, table: Table, store: str) -> int:
    return connection.execute(select(func.count()).where(table.c.store == store)).scalar_one()


def _counts(connection: Connection, store: str) -> dict[str, dict[str, dict[str, int]]]:
    cell = (count_windows.c.metric, count_windows.c.place, count_windows.c.key)
    totals = select(*cell, func.sum(count_windows.c.value)).where(count_windows.c.store == store).group_by(*cell)
    counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for metric, place, key, total in connection.execute(totals.order_by(*cell)):
        counts[metric][place][key] = int(total)
    return counts


def _sales(connection: Connection, store: str) -> dict[str, dict[str, int]]:
    sums = [func.sum(sales_windows.c[name]) for name in SALES_FIGURES]
    totals = select(sales_windows.c.currency, *sums).where(sales_windows.c.store == store)
    rows = connection.execute(totals.group_by(sales_windows.c.currency).order_by(sales_windows.c.currency))
    return {row[0]: dict(zip(SALES_FIGURES, (int(total) for total in row[1:]), strict=True)) for row in rows}
