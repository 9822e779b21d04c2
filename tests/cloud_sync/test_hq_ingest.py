"""HQ's ledger: each event once, its figures with it, whatever way it comes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select
from sqlalchemy.exc import SQLAlchemyError

from cloud_sync.hq.credentials import add_store
from cloud_sync.hq.database import open_database, sqlite_url
from cloud_sync.hq.figures import summary
from cloud_sync.hq.ingest import UnknownStore, ingest
from cloud_sync.hq.schema import events, stores


@pytest.fixture
def engine(tmp_path: Path, kit: Any) -> Iterator[Engine]:
    made = open_hq(tmp_path, kit)
    yield made
    made.dispose()


def open_hq(folder: Path, kit: Any) -> Engine:
    made = open_database(sqlite_url(folder))
    with made.begin() as connection:
        for store in ("s1", "s2"):
            add_store(connection, store, credential="c", timezone="UTC", renew=False, at=kit.NOON)
    return made


@contextmanager
def temporary_hq(kit: Any) -> Iterator[Engine]:
    """For property tests, whose examples each need a fresh one."""
    with tempfile.TemporaryDirectory() as folder:
        made = open_hq(Path(folder), kit)
        try:
            yield made
        finally:
            made.dispose()


def totals(engine: Engine, store: str = "s1") -> dict[str, Any]:
    with engine.begin() as connection:
        return summary(connection, store)


def test_counts_and_sales_add_up(engine: Engine, kit: Any) -> None:
    """Windows of a place add up by key; sales add up by currency, negative ones and several tills included."""
    bodies = [
        kit.count(3),
        kit.count(4, hour=10),
        kit.count(2, key="out"),
        kit.count(5, place="door/back"),
        kit.sale(1000),
        kit.sale(-250, till="till-2"),
        kit.sale(70000, currency="JPY"),
    ]
    batch = [kit.event(body, number) for number, body in enumerate(bodies, start=1)]
    receipt = ingest(engine, store="s1", batch=batch, at=kit.NOON)
    assert (receipt.new, receipt.duplicates, receipt.rejected) == (7, 0, ())
    made = totals(engine)
    assert made["counts"] == {"visits": {"door/main": {"in": 7, "out": 2}, "door/back": {"in": 5}}}
    assert made["sales"]["EUR"] == {
        "sales": 2, "returns": 0, "voids": 0, "units": 4, "total_minor": 750, "tax_minor": 0
    }  # fmt: skip
    assert made["sales"]["JPY"]["total_minor"] == 70000
    assert made["by_type"] == {"threshold.count.v1": 4, "threshold.sales.v1": 3}
    assert (made["events"], made["first_sequence"], made["last_sequence"]) == (7, 1, 7)


def test_a_late_event_of_the_same_window_adds_and_overwrites_nothing(engine: Engine, kit: Any) -> None:
    """Late data comes as a further event, marked historical."""
    ingest(engine, store="s1", batch=[kit.event(kit.count(3), 1)], at=kit.NOON)
    ingest(engine, store="s1", batch=[kit.event(kit.count(2), 2) | {"historical": True}], at=kit.NOON)
    assert totals(engine)["counts"]["visits"]["door/main"]["in"] == 5


def test_a_repetition_within_one_batch_counts_once(engine: Engine, kit: Any) -> None:
    """The second one is a duplicate, not an error."""
    one = kit.event(kit.count(3), 1)
    receipt = ingest(engine, store="s1", batch=[one, one, one], at=kit.NOON)
    assert (receipt.new, receipt.duplicates) == (1, 2)
    assert totals(engine)["counts"]["visits"]["door/main"]["in"] == 3


def test_an_id_taken_by_another_event_is_rejected(engine: Engine, kit: Any) -> None:
    """A store restored from an old backup uses its numbers twice: neither silently dropped nor counted over."""
    ingest(engine, store="s1", batch=[kit.event(kit.count(3), 1)], at=kit.NOON)
    receipt = ingest(engine, store="s1", batch=[kit.event(kit.count(4), 1)], at=kit.NOON)
    assert [event.reason for event in receipt.rejected] == ["another event has this id"]
    assert (receipt.new, receipt.duplicates) == (0, 0)
    assert totals(engine)["counts"]["visits"]["door/main"]["in"] == 3


def test_two_stores_may_use_the_same_id(engine: Engine, kit: Any) -> None:
    """An id is unique within its source; stores do not see each other's."""
    ingest(engine, store="s1", batch=[kit.event(kit.count(3), 1)], at=kit.NOON)
    ingest(engine, store="s2", batch=[kit.event(kit.count(4), 1, store="s2")], at=kit.NOON)
    assert totals(engine, "s1")["counts"]["visits"]["door/main"]["in"] == 3
    assert totals(engine, "s2")["counts"]["visits"]["door/main"]["in"] == 4


NOT_EVENTS: list[object] = [None, 7, "text", [], {}, [[[]]], {"id": 7}, {"id": "x" * 200}, {"specversion": "0.3"}]


@pytest.mark.parametrize("unfit", NOT_EVENTS)
def test_what_is_no_event_is_rejected_alone(unfit: object, engine: Engine, kit: Any) -> None:
    """Whatever stands in its place, its neighbours are committed."""
    batch = [kit.event(kit.count(1), 1), unfit, kit.event(kit.count(1), 2)]
    receipt = ingest(engine, store="s1", batch=batch, at=kit.NOON)
    assert [event.index for event in receipt.rejected] == [1]
    assert (receipt.new, receipt.committed_through) == (2, f"{2:020d}")


SECRET = "4111111111111111"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "threshold/stores/s2"}, "source is not this store"),
        ({"type": "threshold.sales.v1"}, "type is not that of data"),
        ({"id": "a\u0000b"}, "control characters"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "beyond all measure"),
        ({"sequence": "9" * 20}, "beyond all measure"),
        ({"sequence": "1"}, "sequence: "),
        ({"time": "2026-05-04T12:00:00"}, "time: "),
        ({"card": SECRET}, "card: "),
        ({"data": SECRET}, "data: "),
        ({"data": {"kind": SECRET}}, "data: "),
        ({"data": {SECRET: 1}}, "data.count.?: extra_forbidden"),
        ({"data": {"epsilon": float("inf")}}, "beyond all measure"),
        ({"data": {"count": SECRET * 2}}, "beyond all measure"),
        ({"data": {"count": -1}}, "data.count.count: "),
        ({"data": {"place": "a\nb"}}, "control characters"),
        ({"data": {"end": "2026-05-04T09:00:00Z"}}, "not after data.start"),
        ({"data": {"end": "9999-12-31T23:59:59-14:00"}}, "beyond all measure"),
    ],
)
def test_an_unfit_event_is_rejected_with_a_reason_that_quotes_nothing(
    change: dict[str, Any], reason: str, engine: Engine, kit: Any
) -> None:
    """What the schema or the database cannot take is named by field; the value goes no further."""
    made = kit.event(kit.count(1), 1)
    data = change.get("data")
    made |= {**change, "data": made["data"] | data} if isinstance(data, dict) else change
    receipt = ingest(engine, store="s1", batch=[made], at=kit.NOON)
    (refusal,) = receipt.rejected
    assert reason in refusal.reason
    assert SECRET not in refusal.reason
    assert totals(engine)["events"] == 0


def test_an_empty_batch_is_answered(engine: Engine, kit: Any) -> None:
    """It commits nothing and is no error."""
    receipt = ingest(engine, store="s1", batch=[], at=kit.NOON)
    assert (receipt.new, receipt.committed_through) == (0, "0" * 20)


def test_a_store_taken_off_meanwhile_is_told(engine: Engine, kit: Any) -> None:
    """Nothing is kept for a store HQ does not know."""
    with engine.begin() as connection:
        connection.execute(delete(stores))
    with pytest.raises(UnknownStore):
        ingest(engine, store="s1", batch=[kit.event(kit.count(1), 1)], at=kit.NOON)
    assert totals(engine)["events"] == 0


@pytest.mark.parametrize("failing", ["INSERT INTO events", "INSERT INTO count_windows", "INSERT INTO sales_windows"])
def test_events_and_figures_are_committed_together_or_not_at_all(failing: str, engine: Engine, kit: Any) -> None:
    """Whichever write fails, nothing of the batch stays, and sending it again makes it whole."""
    batch = [kit.event(kit.count(3), 1), kit.event(kit.sale(100), 2)]

    def fail(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(failing):
            raise SQLAlchemyError("disk full")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(SQLAlchemyError):
        ingest(engine, store="s1", batch=batch, at=kit.NOON)
    event.remove(engine, "before_cursor_execute", fail)
    assert totals(engine)["events"] == 0
    assert totals(engine)["counts"] == {}
    assert ingest(engine, store="s1", batch=batch, at=kit.NOON).new == 2
    assert totals(engine)["counts"]["visits"]["door/main"]["in"] == 3


def test_the_same_batch_from_many_threads_counts_once(engine: Engine, kit: Any) -> None:
    """A client that gave up and sent again while HQ was still at it makes no double."""
    batch = [kit.event(kit.count(1), number) for number in range(1, 41)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: ingest(engine, store="s1", batch=batch, at=kit.NOON), range(8)))
    assert sorted(receipt.new for receipt in receipts) == [0] * 7 + [40]
    assert totals(engine)["counts"]["visits"]["door/main"]["in"] == 40


def test_the_event_itself_is_kept(engine: Engine, kit: Any) -> None:
    """HQ can derive its figures anew from what it keeps."""
    ingest(engine, store="s1", batch=[kit.event(kit.count(3), 1)], at=kit.NOON)
    with engine.begin() as connection:
        row = connection.execute(select(events)).one()
    assert (row.source, row.id, row.sequence, row.historical) == ("threshold/stores/s1", "life-1", 1, False)
    assert row.data["count"] == 3


amounts = st.lists(st.integers(0, 1000), min_size=1, max_size=12)
sends = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=amounts, sends=sends, data=st.data())
def test_any_way_of_sending_gives_the_same_sums(
    amounts: list[int], sends: list[tuple[int, int]], data: st.DataObject, kit: Any
) -> None:
    """Slices in any order, overlapping, repeated and shuffled, and at last everything: sums as if sent once."""
    whole = [
        kit.event(kit.count(n, hour=n % 24) if n % 3 else kit.sale(n - 500), i) for i, n in enumerate(amounts, start=1)
    ]
    with temporary_hq(kit) as simple, temporary_hq(kit) as repeated:
        ingest(simple, store="s1", batch=whole, at=kit.NOON)
        new = 0
        for start, length in [*sends, (0, len(whole))]:
            part = data.draw(st.permutations(whole[start : start + length])) if start < len(whole) else []
            new += ingest(repeated, store="s1", batch=part, at=kit.NOON).new
        assert new == len(whole)
        assert totals(repeated) == totals(simple)
