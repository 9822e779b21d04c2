"""A release round against a real database: record, budget and event are written together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import epoch_s
from edge.facts import Crossing, Fact, SaleMade
from edge.outbox.events import CountMetric, CountReleased, Event, SalesWindow, event_batch
from edge.outbox.table import Outbox
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.settings import Settings
from edge.storage.store import Store
from edge.windows import PEOPLE_METRICS, fold

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def store_settings(tmp_path: Path, **tables) -> Settings:
    return Settings.model_validate({"store": {"id": "s1"}, "state": tmp_path, **tables})


def crossings(n: int, *, at: datetime, direction="in") -> list[Fact]:
    return [Crossing(at, "door", "line", direction)] * n


def sale(at: datetime, total: int = 500) -> SaleMade:
    return SaleMade(at, "till-1", "sale", "EUR", 1, total, 80)


class Shop:
    """A store database with a release round, and shorthands to feed and read it."""

    def __init__(self, config: Settings) -> None:
        self.store = Store(config.store_db)
        self.config = config
        outbox = Outbox(store="s1", incarnation=self.store.incarnation)
        gate = ReleaseGate(config.privacy, noise=lambda count, epsilon: count)
        self.round = ReleaseRound(config, gate=gate, outbox=outbox)

    def add(self, facts: list[Fact]) -> None:
        with self.store.transaction() as tx:
            tx.add(fold(facts, length_s=self.config.windows.local_s))

    def release(self, now: datetime) -> int:
        with self.store.transaction() as tx:
            return self.round.run(tx, now=now)

    def rows(self, sql: str) -> list[tuple]:
        return self.store._connection.execute(sql).fetchall()

    def events(self) -> list[Event]:
        bodies = [row[0].decode() for row in self.rows("SELECT event FROM outbox ORDER BY sequence")]
        return event_batch.validate_json(f"[{','.join(bodies)}]")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(store_settings(tmp_path))
    yield made
    made.store.close()


def test_a_closed_window_leaves_once(shop: Shop):
    """A second round finds nothing more to release."""
    shop.add(crossings(7, at=NINE))
    later = NINE + timedelta(minutes=16)
    assert shop.release(later) == 1
    assert shop.release(later) == 0
    (event,) = shop.events()
    assert isinstance(event.data, CountReleased)
    assert (event.data.count, event.data.key, event.historical) == (7, "in", False)
    assert event.data.end - event.data.start == timedelta(minutes=15)


def test_an_open_window_stays(shop: Shop):
    """Nothing leaves before the window has closed and the grace has passed."""
    shop.add(crossings(7, at=NINE))
    assert shop.release(NINE + timedelta(minutes=15, seconds=29)) == 0
    assert shop.release(NINE + timedelta(minutes=15, seconds=30)) == 1


def test_what_comes_late_leaves_as_history_and_nothing_is_lost(shop: Shop):
    """A count that arrives after its window was released opens a new row and is marked historical."""
    shop.add(crossings(7, at=NINE))
    shop.release(NINE + timedelta(minutes=16))
    shop.add(crossings(6, at=NINE))
    assert shop.release(NINE + timedelta(hours=2)) == 1
    first, late = shop.events()
    assert (first.data.count, late.data.count) == (7, 6)
    assert late.historical
    assert int(late.sequence) == int(first.sequence) + 1


def test_release_and_budget_are_recorded_with_the_event(shop: Shop):
    """Each release stands in the record with its epsilon, in the same transaction as its event."""
    shop.add(crossings(7, at=NINE) + crossings(9, at=NINE, direction="out"))
    shop.release(NINE + timedelta(minutes=16))
    assert shop.rows("SELECT outcome, epsilon, k FROM releases") == [("released", 1.0, 5)] * 2
    assert len(shop.events()) == 2


def test_an_error_in_the_round_undoes_all_of_it(shop: Shop):
    """A round that fails leaves neither event nor record nor spent budget."""
    shop.add(crossings(7, at=NINE))
    with pytest.raises(RuntimeError), shop.store.transaction() as tx:  # noqa: PT012  the error is the last step
        shop.round.run(tx, now=NINE + timedelta(minutes=16))
        raise RuntimeError
    assert shop.rows("SELECT * FROM releases") == []
    assert shop.events() == []
    assert shop.release(NINE + timedelta(minutes=16)) == 1


def test_the_days_budget_holds_across_rounds(tmp_path: Path):
    """What one round spent, the next cannot spend again; another day can."""
    shop = Shop(store_settings(tmp_path, privacy={"epsilon_per_day": 2.0}))
    for quarter in range(4):
        shop.add(crossings(8, at=NINE + timedelta(minutes=15 * quarter)))
        shop.release(NINE + timedelta(minutes=15 * quarter + 16))
    assert len(shop.events()) == 2
    shop.add(crossings(8, at=NINE + timedelta(days=1)))
    shop.release(NINE + timedelta(days=1, minutes=16))
    assert len(shop.events()) == 3
    shop.store.close()


def test_sales_are_exact_and_ungated(shop: Shop):
    """A single sale leaves exactly; it is the shop's own bookkeeping."""
    shop.add([sale(NINE, 1999), SaleMade(NINE, "till-1", "return", "EUR", -1, -500, -80)])
    assert shop.release(NINE + timedelta(minutes=16)) == 1
    (event,) = shop.events()
    assert isinstance(event.data, SalesWindow)
    assert (event.data.sales, event.data.returns, event.data.units, event.data.total_minor) == (1, 1, 0, 1499)


def test_late_sales_come_as_a_further_event(shop: Shop):
    """The sum of a window's events is the window, however late its sales come."""
    shop.add([sale(NINE)])
    shop.release(NINE + timedelta(minutes=16))
    shop.add([sale(NINE), sale(NINE)])
    shop.release(NINE + timedelta(hours=3))
    shop.add([sale(NINE)])
    shop.release(NINE + timedelta(hours=4))
    assert [event.data.sales for event in shop.events()] == [1, 2, 1]
    assert [event.historical for event in shop.events()] == [False, True, True]


def test_with_the_outbox_full_counts_wait_in_their_windows(tmp_path: Path):
    """A full outbox refuses nothing and loses nothing: windows stay pending and leave when there is room."""
    shop = Shop(store_settings(tmp_path, storage={"outbox_max_mb": 1}))
    with shop.store.transaction() as tx:
        tx.enqueue(tx.next_sequence(), "x" * 1_100_000, at=NINE)
    shop.add(crossings(7, at=NINE))
    assert shop.release(NINE + timedelta(minutes=16)) == 0
    with shop.store.transaction() as tx:
        tx.prune(acknowledged_sequence=1, messages_before_s=0, windows_before_s=0)
    assert shop.release(NINE + timedelta(minutes=17)) == 1
    shop.store.close()


def test_people_metrics_and_outbox_agree():
    """Every count of people has an event type that may leave, and nothing else does."""
    assert {metric.value for metric in PEOPLE_METRICS} == set(get_args(CountMetric))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 10), st.integers(1, 9), st.booleans(), st.integers(0, 3)), max_size=30)
)
def test_whatever_the_order_sums_at_hq_are_the_stores(tmp_path_factory, arrivals):
    """Sales in any order, lateness and round rhythm: the events add up to what was folded, to the cent."""
    shop = Shop(store_settings(tmp_path_factory.mktemp("store")))
    now = NINE
    total = 0
    for back, cents, give_back, quarters in arrivals:
        at = now - timedelta(minutes=15 * back)
        amount = -cents if give_back else cents
        shop.add([SaleMade(at, "till-1", "return" if give_back else "sale", "EUR", 1, amount, 0)])
        total += amount
        now += timedelta(minutes=15 * quarters)
        shop.release(now)
    shop.release(now + timedelta(hours=1))
    events = shop.events()
    assert sum(event.data.total_minor for event in events) == total
    assert [int(event.sequence) for event in events] == list(range(1, len(events) + 1))
    with shop.store.transaction() as tx:
        assert tx.pending_cells(before_s=epoch_s(now)) == []
    shop.store.close()
