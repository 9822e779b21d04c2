"""What leaves the shop is read from both sides: the gateway's outbox and the position sync has reached."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloud_sync.sync_schema import sync_migrations
from edge.clock import epoch_s
from edge.outbox.events import DeviceHealth
from edge.outbox.table import Outbox
from edge.settings import Settings
from edge.storage.database import OwnedDatabase
from edge.storage.store import PendingCell, Store
from edge.web.figures import Today
from edge.web.language import Speech
from edge.web.present_leaving import present_leaving
from edge.web.reading import read_today
from edge.web.words import WORDS
from edge.windows import PEOPLE_METRICS, Metric

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
HEALTH = DeviceHealth(device_kind="camera", device="east", state="online")


@pytest.fixture
def enqueue(store: Store) -> Callable[..., None]:
    """Put events into the outbox, so many seconds before noon."""
    outbox = Outbox(store="linden", incarnation=store.incarnation)

    def enqueue(*seconds_ago: int) -> None:
        with store.transaction() as tx:
            for ago in seconds_ago:
                outbox.put(tx, HEALTH, at=NOON - timedelta(seconds=ago))

    return enqueue


@pytest.fixture
def sync(settings: Settings) -> Iterator[sqlite3.Connection]:
    """The sync process's own database, with its own tables."""
    database = OwnedDatabase(settings.sync_db, migrations=sync_migrations)
    yield database.connection
    database.close()


def acknowledge(sync: sqlite3.Connection, sequence: int, *, incarnation: str) -> None:
    sync.execute("UPDATE position SET acknowledged_sequence = ?, incarnation = ?", (sequence, incarnation))


def values(today: Today) -> dict[str, str]:
    """The panel's values by their English labels."""
    return {fact.label: fact.value for fact in present_leaving(today, say=Speech("en")).facts}


def test_waiting_is_what_hq_has_not_acknowledged(
    settings: Settings, store: Store, sync: sqlite3.Connection, enqueue: Callable[..., None]
) -> None:
    """Events up to the acknowledged position are done, whether or not they have been pruned."""
    enqueue(600, 300, 120)
    acknowledge(sync, 1, incarnation=store.incarnation)
    outbox = read_today(settings, at=NOON).outbox
    assert (outbox.waiting, outbox.oldest_s) == (2, epoch_s(NOON) - 300)
    assert outbox.waiting_bytes > 0


def test_a_former_lifes_position_says_nothing(
    settings: Settings, sync: sqlite3.Connection, enqueue: Callable[..., None]
) -> None:
    """After store.db was made anew, an old position does not hide its events."""
    enqueue(600, 300, 120)
    acknowledge(sync, 900, incarnation="another life")
    assert read_today(settings, at=NOON).outbox.waiting == 3


def test_what_hq_refused_is_said(settings: Settings, store: Store, sync: sqlite3.Connection) -> None:
    """Events that headquarters would not take are counted on the page, and the line is absent while there are none."""
    assert "Refused by headquarters" not in values(read_today(settings, at=NOON))
    sync.execute("INSERT INTO rejected_events VALUES (1, 'life', 1, 'id', 'schema', 0, x'00')")
    assert values(read_today(settings, at=NOON))["Refused by headquarters"] == "1"


def test_without_sync_everything_waits(settings: Settings, enqueue: Callable[..., None]) -> None:
    """Before sync has ever run nothing is acknowledged, and the page says that sync has not written."""
    enqueue(10, 5)
    today = read_today(settings, at=NOON)
    assert (today.outbox.waiting, today.outbox.sync) == (2, "absent")
    assert values(today)["Headquarters"] == "The sync process has not written anything yet"


def test_room_is_plenty_while_nothing_waits(settings: Settings, store: Store) -> None:
    """An empty outbox has plenty of room; no pace is made up."""
    today = read_today(settings, at=NOON)
    assert (today.outbox.space, today.outbox.hours_left) == ("plenty", None)
    assert values(today)["Waiting to be sent"] == "nothing"


def test_room_is_unknown_without_a_recent_pace(settings: Settings, enqueue: Callable[..., None]) -> None:
    """With old events waiting and none enqueued within the hour nobody can say how long there is room."""
    enqueue(7200)
    today = read_today(settings, at=NOON)
    assert today.outbox.space == "unknown"
    assert values(today)["Room left"] == "unknown until more has been written"


def test_room_by_the_last_hours_pace(make_settings: Callable[..., Settings], enqueue: Callable[..., None]) -> None:
    """Hours left are the free bytes over the bytes enqueued per hour."""
    settings = make_settings(storage={"outbox_max_mb": 1})
    enqueue(*range(3598, -1, -2))
    outbox = read_today(settings, at=NOON).outbox
    assert outbox.space == "hours"
    assert outbox.hours_left == pytest.approx((1_000_000 - outbox.waiting_bytes) / outbox.waiting_bytes, rel=0.01)


def test_a_full_outbox_has_no_room(make_settings: Callable[..., Settings], enqueue: Callable[..., None]) -> None:
    """Past its limit the outbox has room for no hours, and the page says that nothing more is released."""
    settings = make_settings(storage={"outbox_max_mb": 1})
    enqueue(*[5] * 4000)
    today = read_today(settings, at=NOON)
    assert today.outbox.waiting_bytes > 1_000_000
    assert today.outbox.hours_left == 0
    assert values(today)["Room left"].startswith("none: nothing more is released")


def test_headquarters_reached_and_lost(settings: Settings, store: Store, sync: sqlite3.Connection) -> None:
    """The last success is told as a time ago, and after an error as the time since when; the error's text is not shown."""
    sync.execute("UPDATE uplink_state SET last_success_s = ?", (epoch_s(NOON) - 30,))
    assert values(read_today(settings, at=NOON))["Headquarters"] == "Reached 30 s ago"
    sync.execute("UPDATE uplink_state SET last_error = 'connect to hq.invalid refused'")
    told = values(read_today(settings, at=NOON))["Headquarters"]
    assert told == "Not reached since 11:59. Nothing is lost; it waits here."


def test_without_an_address_nothing_leaves(make_settings: Callable[..., Settings]) -> None:
    """A shop without headquarters in its settings reads that nothing leaves."""
    assert values(read_today(make_settings(hq={}), at=NOON))["Headquarters"] == "Not set up, so nothing leaves"


def test_budget_and_suppressions_are_of_today(settings: Settings, store: Store) -> None:
    """Epsilon is summed over the shop's day for each count; a metric shows its largest; suppressions cost none."""

    def release(metric: Metric, outcome: str, epsilon: float, *, day: str = "2025-06-03", key: str = "in") -> None:
        cell = PendingCell(epoch_s(NOON), metric, "east/door", key, 0)
        with store.transaction() as tx:
            tx.record_release(cell, end_s=cell.start_s, day=day, outcome=outcome, epsilon=epsilon, k=5, at=NOON)

    release(Metric.VISITS, "released", 1.0)
    release(Metric.VISITS, "released", 0.5)
    release(Metric.VISITS, "suppressed", 0.0)
    release(Metric.VISITS, "released", 1.0, key="out")
    release(Metric.MOOD, "released", 1.0)
    release(Metric.VISITS, "released", 9.0, day="2025-06-02")
    releases = read_today(settings, at=NOON).releases
    assert {budget.metric: budget.spent for budget in releases.budgets if budget.spent} == {"visits": 1.5, "mood": 1.0}
    assert (releases.released, releases.suppressed, releases.budgets[0].limit) == (4, 1, 96.0)


@pytest.mark.parametrize("metric", sorted(PEOPLE_METRICS))
def test_every_people_metric_has_a_name(metric: Metric) -> None:
    """Whatever has a privacy budget is named in words on the page."""
    assert f"metric_{metric.value}" in WORDS
