"""Who is inside, and what becomes of the count's error at closing time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import epoch_s
from edge.closing import Closing
from edge.facts import Crossing, Direction, Fact
from edge.occupancy import Flow, empty_since, inside
from edge.outbox.table import Outbox
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.settings import Settings
from edge.storage.store import Store
from edge.windows import fold

NINE_PM = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
FLOWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60).map(
    lambda pairs: [Flow(60 * i, entered, left) for i, (entered, left) in enumerate(pairs)]
)


def test_in_less_out() -> None:
    """While nothing is missed, people inside are who came less who went."""
    assert inside([Flow(0, 5, 1), Flow(60, 2, 3)]) == 3


def test_somebody_missed_on_the_way_in_is_set_right() -> None:
    """Three leave an empty shop: they had been missed, and the next who comes in is one."""
    assert inside([Flow(0, 0, 3), Flow(60, 1, 0)]) == 1


@given(FLOWS)
def test_never_fewer_than_nobody_and_never_less_than_the_net(flows: list[Flow]) -> None:
    """At least zero, at least in less out of any tail of the day, and what it equals is one of these."""
    tails = [sum(flow.entered - flow.left for flow in flows[i:]) for i in range(len(flows) + 1)]
    assert inside(flows) == max(tails) >= 0


@given(FLOWS, st.randoms())
def test_the_order_of_reading_does_not_matter(flows: list[Flow], dice) -> None:
    """Windows are put in order of time first."""
    shuffled = list(flows)
    dice.shuffle(shuffled)
    assert inside(shuffled) == inside(flows)


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    closes_at=st.one_of(st.none(), st.times()),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "America/Los_Angeles"]),
)
def test_the_shop_was_empty_within_the_last_day(at: datetime, closes_at: time | None, timezone: str) -> None:
    """The last closing time lies at most a day back, at the hour on the wall; twenty-five hours where clocks change."""
    closed = empty_since(at, closes_at=closes_at, timezone=timezone)
    assert timedelta(hours=-1) <= at - closed <= timedelta(hours=25)
    assert closed.astimezone(ZoneInfo(timezone)).time() in {closes_at or time(), closed.timetz().replace(tzinfo=None)}


class Shop:
    """A store database with a closing time of 21:00."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.model_validate({"store": {"id": "s1", "closes_at": "21:00"}, "state": folder})
        self.store = Store(self.settings.store_db)
        self.closing = Closing(self.settings)

    def cross(self, count: int, direction: Direction, *, at: datetime) -> None:
        facts: list[Fact] = [Crossing(at, "cam", "door", direction)] * count
        with self.store.transaction() as tx:
            tx.add(fold(facts, length_s=60))

    def tick(self, now: datetime) -> None:
        with self.store.transaction() as tx:
            self.closing.run(tx, now=now)

    def drifts(self) -> list[tuple[int, int]]:
        rows = self.store._connection.execute("SELECT start_s, value FROM windows WHERE metric = 'closing_drift'")
        return [tuple(row) for row in rows]

    def inside(self, at: datetime) -> int:
        since = empty_since(at, closes_at=time(21), timezone="UTC")
        with self.store.transaction() as tx:
            return inside(Flow(*row) for row in tx.flows(since_s=epoch_s(since), until_s=epoch_s(at) + 60))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.store.close()


def test_the_drift_is_recorded_once_and_forgotten(shop: Shop) -> None:
    """Four believed inside at closing: written down once, even by a gateway started anew, and nobody is inside after."""
    shop.cross(10, "in", at=NINE_PM - timedelta(hours=3))
    shop.cross(6, "out", at=NINE_PM - timedelta(hours=1))
    shop.tick(NINE_PM - timedelta(minutes=1))
    assert shop.drifts() == []
    assert shop.inside(NINE_PM - timedelta(minutes=1)) == 4
    for minute in (1, 2, 3):
        shop.tick(NINE_PM + timedelta(minutes=minute))
    shop.closing = Closing(shop.settings)
    shop.tick(NINE_PM + timedelta(minutes=4))
    assert shop.drifts() == [(epoch_s(NINE_PM), 4)]
    assert shop.inside(NINE_PM + timedelta(minutes=5)) == 0


def test_who_leaves_after_closing_takes_nothing_from_tomorrow(shop: Shop) -> None:
    """Stragglers go out at 21:05; the next morning begins with nobody, not with fewer."""
    shop.cross(3, "in", at=NINE_PM - timedelta(hours=1))
    shop.tick(NINE_PM + timedelta(minutes=1))
    shop.cross(3, "out", at=NINE_PM + timedelta(minutes=5))
    morning = NINE_PM + timedelta(hours=12)
    shop.cross(2, "in", at=morning)
    assert shop.inside(morning) == 2


def test_a_day_without_anybody_has_no_drift(shop: Shop) -> None:
    """A shop that was closed all day has nothing to correct."""
    shop.tick(NINE_PM + timedelta(minutes=1))
    assert shop.drifts() == []


def test_a_gateway_that_was_off_at_closing_time_writes_it_later(shop: Shop) -> None:
    """Two hours later still; the next day no more."""
    shop.cross(1, "in", at=NINE_PM - timedelta(hours=1))
    shop.tick(NINE_PM + timedelta(hours=13))
    assert shop.drifts() == []
    shop.closing = Closing(shop.settings)
    shop.tick(NINE_PM + timedelta(hours=2))
    assert shop.drifts() == [(epoch_s(NINE_PM), 1)]


def test_the_drift_never_leaves_and_is_settled(shop: Shop) -> None:
    """A release round takes local figures off pending, so that they are pruned in time, and makes no event of them."""
    shop.cross(9, "in", at=NINE_PM - timedelta(hours=1))
    shop.tick(NINE_PM + timedelta(minutes=1))
    outbox = Outbox(store="s1", incarnation=shop.store.incarnation)
    gate = ReleaseGate(shop.settings.privacy, noise=lambda count, _: count)
    release = ReleaseRound(shop.settings, gate=gate, outbox=outbox)
    with shop.store.transaction() as tx:
        assert release.run(tx, now=NINE_PM + timedelta(hours=1)) == 1
        assert tx.pending_cells(before_s=epoch_s(NINE_PM) + 3600) == []
    (event,) = (row[0].decode() for row in shop.store._connection.execute("SELECT event FROM outbox"))
    assert '"metric":"visits"' in event
    assert shop.drifts() == [(epoch_s(NINE_PM), 9)]
    with shop.store.transaction() as tx:
        tx.prune(acknowledged_sequence=0, messages_before_s=0, windows_before_s=epoch_s(NINE_PM) + 60)
    assert shop.drifts() == []
