"""One till message, one effect, however often, late or out of order it comes: to the cent, in the store and for HQ."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from slips import Dialect, as_json, as_poslog, slips
from till_shop import TillShop, till_settings

from edge.outbox.events import SalesWindow, event_batch
from edge.storage.database import open_reader

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Day:
    """What the tills of a shop say, each message once, and the till it is from."""

    messages: tuple[tuple[str, bytes], ...]


@st.composite
def days(draw: st.DrawFn) -> Day:
    """Sales in JSON and POSLog from two tills, made within the last weeks."""
    told = draw(st.lists(slips(), min_size=1, max_size=8))
    messages = []
    for number, drawn in enumerate(told):
        slip = replace(drawn, number=number + 1)
        late = timedelta(seconds=draw(st.integers(0, 20 * 86400)))
        at = (NOON - late).isoformat()
        xml = draw(st.booleans()) and slip.total_minor != 0
        payload = (
            as_poslog(slip, Dialect(change_minor=5), at=at)
            if xml
            else as_json(slip, message_id=str(UUID(int=number + 1)), at=at)
        )
        messages.append((draw(st.sampled_from(["till-1", "till-2"])), payload))
    return Day(tuple(messages))


@contextmanager
def open_shop(clock: Clock):
    with TemporaryDirectory() as folder:
        shop = TillShop(till_settings(Path(folder)), clock=clock)
        try:
            yield shop
        finally:
            shop.close()


def windows(shop: TillShop) -> dict[tuple[int, str, str], int]:
    """Every local window's figures, whether they have left or not."""
    with open_reader(shop.settings.store_db) as sql:
        rows = sql.execute("SELECT start_s, place, key, sum(value) FROM windows GROUP BY start_s, place, key")
        return {(start, place, key): value for start, place, key, value in rows.fetchall()}


def told_to_hq(shop: TillShop) -> Counter[tuple[str, str, str]]:
    """What the sales events say, added up."""
    with open_reader(shop.settings.store_db) as sql:
        bodies = [row[0].decode() for row in sql.execute("SELECT event FROM outbox ORDER BY sequence")]
    sums: Counter[tuple[str, str, str]] = Counter()
    for event in event_batch.validate_json(f"[{','.join(bodies)}]"):
        if isinstance(event.data, SalesWindow):
            figures = event.data.model_dump(exclude={"kind", "start", "end", "till", "currency"})
            sums.update({(event.data.till, event.data.currency, name): n for name, n in figures.items() if n})
    return Counter({key: value for key, value in sums.items() if value})


def by_till(cells: dict[tuple[int, str, str], int]) -> Counter[tuple[str, str, str]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for (_, till, key), value in cells.items():
        currency, _, name = key.partition("/")
        sums[till, currency, name] += value
    return Counter({key: value for key, value in sums.items() if value})


@settings(max_examples=30, deadline=None)
@given(day=days(), seed=st.integers(0, 2**32))
def test_repeated_reordered_and_late_messages_leave_the_same_sums(day: Day, seed: int) -> None:
    """Every window of a shop that heard each message once and in order, and of one that heard them anyhow, is the same."""
    rng = Random(seed)
    deliveries = [one for one in day.messages for _ in range(rng.choice((1, 1, 2, 4)))]
    rng.shuffle(deliveries)
    with open_shop(Clock()) as orderly:
        for till, payload in day.messages:
            orderly.say(payload, till=till)
        orderly.acks.wait(len(day.messages))
        expected = windows(orderly)
    clock = Clock()
    with open_shop(clock) as disorderly:
        for number, (till, payload) in enumerate(deliveries, 1):
            disorderly.say(payload, till=till)
            if rng.random() < 0.3:  # a quarter of an hour on, so that what stands is released before the rest comes
                disorderly.acks.wait(number)
                clock.now += timedelta(minutes=16)
        disorderly.acks.wait(len(deliveries))
        assert windows(disorderly) == expected


@settings(max_examples=12, deadline=None)
@given(day=days(), seed=st.integers(0, 2**32))
def test_what_hq_is_told_adds_up_to_the_same(day: Day, seed: int) -> None:
    """Late sales come as further events; together they are the windows' sums in every figure."""
    rng = Random(seed)
    clock = Clock()
    with TemporaryDirectory() as folder:
        for _ in range(2):  # the second time everything is sent again to a gateway that has been restarted
            shop = TillShop(till_settings(Path(folder)), clock=clock)
            for number, (till, payload) in enumerate(rng.sample(day.messages, len(day.messages)), 1):
                shop.say(payload, till=till)
                shop.acks.wait(number)
                clock.now += timedelta(minutes=rng.choice((0, 16)))
            clock.now += timedelta(minutes=31)
            shop.await_release()
            told, kept = told_to_hq(shop), by_till(windows(shop))
            shop.close()
            assert told == kept


def test_a_sale_that_repeats_itself_is_counted_as_repeated(make_shop) -> None:
    """One sale, three deliveries, two of them noted as repetitions; each is acknowledged."""
    shop = make_shop()
    payload = (Path(__file__).parent / "samples" / "sale_6.xml").read_bytes()
    for _ in range(3):
        shop.say(payload)
    shop.acks.wait(3)
    assert shop.counter("repeated") == 2
    assert len(set(shop.acks.ids)) == 1
    assert shop.figures()["EUR/sales"] == 1
    assert shop.figures()["EUR/card_minor"] == 9222


def test_every_figure_of_a_slip_reaches_its_window(make_shop) -> None:
    """Sale, return, void, cancelled and exchange, in one shop, to the cent."""
    shop = make_shop()
    names = ("sale_6", "return", "void", "cancelled", "exchange_of_a_member")
    for name in names:
        shop.say((Path(__file__).parent / "samples" / f"{name}.xml").read_bytes())
    shop.acks.wait(len(names))
    assert shop.figures() == {
        "EUR/sales": 2,
        "EUR/returns": 1,
        "EUR/voids": 1,
        "EUR/cancelled": 1,
        "EUR/units": 3 - 1 - 2 + 3 - 1,
        "EUR/total_minor": 9222 - 4491 - 9222 - 4100,
        "EUR/tax_minor": 1472 - 717 - 1472,
        "EUR/discount_minor": 998,
        "EUR/returned_units": 1 + 1,
        "EUR/returned_minor": 4491 + 5900,
        "EUR/card_minor": 9222 - 4491 - 9222,
        "EUR/cash_minor": -4100,
    }
