"""From the registry to HQ: choices as noisy counts, erasures and questions as what waits to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consenting import Clock
from consenting import Shop as Registry
from sqlalchemy import insert, select

from cloud_sync.hq.credentials import add_store
from cloud_sync.hq.database import open_database, sqlite_url
from cloud_sync.hq.schema import erasures, events, stores, tickets
from cloud_sync.hq.waiting import Waiting, waiting
from edge.consent.reader import ConsentReader
from edge.following import ConsentFollower
from edge.outbox.events import Erasure, Ticket
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.windows import fold

SIZE, OFFERS = "size_recommendation", "in_store_offers"
TICKET_ID = "0b0c6b9e-4f6e-4d19-9c63-1c2f0a7e5d11"
ASK = "threshold.ticket.v1"


@pytest.fixture
def registry(shop: Any, kit: Any) -> Iterator[Registry]:
    """A consent registry in the store's folder."""
    made = Registry(shop.state, clock=Clock(kit.NOON))
    yield made
    made.close()


@pytest.fixture
def send(shop: Any, registry: Registry, hq: Any, uplink_to: Callable[..., Any], kit: Any) -> Callable[[], None]:
    """Let everything that the ledger holds go the gateway's way into the outbox, and over the real uplink to HQ."""
    settings = shop.settings(hq.url).model_copy(
        update={"privacy": shop.settings(hq.url).privacy.model_copy(update={"k": 1})}
    )
    gate = ReleaseGate(settings.privacy, noise=lambda count, *_: count)
    follower = ConsentFollower(ConsentReader(registry.path, keyring=registry.keyring))
    release = ReleaseRound(settings, gate=gate, outbox=shop.outbox)
    uplink = uplink_to(hq.url)

    def send() -> None:
        with shop.store.transaction() as tx:
            tx.add(fold(follower.run(tx, outbox=shop.outbox, now=kit.NOON), length_s=settings.windows.local_s))
            release.run(tx, now=kit.NOON + timedelta(hours=2))
        while not uplink.step():
            pass

    return send


def rows(hq: Any, table: Any) -> list[dict[str, Any]]:
    """A table of HQ's."""
    engine = open_database(hq.url_of_database)
    with engine.begin() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(table))]
    engine.dispose()
    return found


def test_choices_are_counted_at_hq(registry: Registry, send: Callable[[], None], hq: Any) -> None:
    """How many said yes, no, and took it back, by purpose, and not who."""
    given = [registry.give(SIZE, OFFERS).subject for _ in range(3)]
    registry.registry.withdraw(given[0], [OFFERS], channel="phone")
    send()
    counted = hq.summary()["counts"]["consents"]
    assert counted[SIZE] == {"granted": 3}
    assert counted[OFFERS] == {"granted": 3, "withdrawn": 1}
    assert counted["member_link"] == {"refused": 3}
    assert not any(subject in str(rows(hq, events)) for subject in given)


def test_an_erasure_waits_at_hq(registry: Registry, send: Callable[[], None], hq: Any, kit: Any) -> None:
    """HQ knows the pseudonym, the entry and when it was asked; sent again, it is still one."""
    subject = registry.give(SIZE).subject
    seq = registry.registry.erase(subject, channel="phone")
    send()
    send()
    (row,) = rows(hq, erasures)
    assert (row["store"], row["subject"], row["ledger_seq"], row["done_s"]) == ("s1", subject, seq, None)
    assert row["asked_s"] == int(kit.NOON.timestamp())
    assert hq.summary()["erasures"] == 1


def test_a_question_waits_at_hq_sealed(registry: Registry, send: Callable[[], None], hq: Any, kit: Any) -> None:
    """Its words lie in one place, as they were sealed; the event that brought it does not hold them a second time."""
    due = kit.NOON + timedelta(days=15)
    ticket = registry.registry.open_ticket(
        "complaint", sealed=b"sealed words", due=due, language="zh-CN", channel="kiosk"
    )
    send()
    (row,) = rows(hq, tickets)
    assert (row["ticket"], row["about"], row["language"]) == (ticket.id, "complaint", "zh-CN")
    assert (row["sealed"], row["due_s"], row["answered_s"]) == ("c2VhbGVkIHdvcmRz", int(due.timestamp()), None)
    assert hq.summary()["by_type"][ASK] == 1
    assert not any("c2VhbGVkIHdvcmRz" in str(event["data"]) for event in rows(hq, events))


def ticket(kit: Any, **changes: Any) -> Ticket:
    """A question that is due in a day."""
    fields = {"ticket": TICKET_ID, "about": "question", "language": "en", "due": kit.NOON + timedelta(days=1)}
    return Ticket.model_validate({**fields, "sealed": "c2VhbGVk", **changes})


def erasure(kit: Any, *, seq: int = 7, subject: str = "s_" + "a" * 26) -> Erasure:
    """Somebody's."""
    return Erasure(subject=subject, asked_at=kit.NOON, ledger_seq=seq)


def test_what_a_restored_store_sends_again_is_kept_once(hq: Any, kit: Any) -> None:
    """The same ticket and the same erasure under other events' ids add nothing; another store's are its own."""
    for sequence in (1, 3):
        batch = [kit.event(ticket(kit), sequence), kit.event(erasure(kit), sequence + 1)]
        assert hq.post(batch).json()["new"] == 2
    hq.post([kit.event(ticket(kit), 1, store="s2")], store="s2", credential="d" * 64)
    assert [(row["store"], row["ticket"]) for row in rows(hq, tickets)] == [("s1", TICKET_ID), ("s2", TICKET_ID)]
    assert len(rows(hq, erasures)) == 1


def test_the_same_event_twice_is_a_duplicate(hq: Any, kit: Any) -> None:
    """Though its words are kept elsewhere, HQ knows an event again by all that it held."""
    sent = kit.event(ticket(kit), 1)
    assert hq.post([sent]).json()["new"] == 1
    assert hq.post([sent]).json()["duplicates"] == 1
    altered = kit.event(ticket(kit, sealed="b3RoZXI="), 1)
    assert hq.post([altered]).json()["rejected"][0]["reason"] == "another event has this id"


@pytest.mark.parametrize("seq", [2**63, 2**200])
def test_a_number_no_ledger_reaches_is_refused(hq: Any, kit: Any, seq: int) -> None:
    """It is rejected with a reason, and the rest of the batch is kept."""
    answer = hq.post([kit.event(erasure(kit, seq=seq), 1), kit.event(erasure(kit), 2)]).json()
    assert answer["rejected"][0]["reason"] == "a time or the sequence is beyond all measure"
    assert answer["new"] == 1


def test_who_waits_is_counted_by_store(tmp_path: Path, kit: Any) -> None:
    """What is answered or done waits no more; somebody who asked twice for erasure waits once; late is late."""
    engine = open_database(sqlite_url(tmp_path))
    now_s = int(kit.NOON.timestamp())
    asked = {"store": "s1", "about": "question", "language": "en", "received_s": now_s, "sealed": ""}
    with engine.begin() as connection:
        add_store(connection, "s1", credential="c", timezone="UTC", renew=False, at=kit.NOON)
        add_store(connection, "s2", credential="c", timezone="UTC", renew=False, at=kit.NOON)
        for number, (due_s, answered_s) in enumerate([(now_s + 1, None), (now_s - 1, None), (now_s - 1, now_s)]):
            values = {**asked, "ticket": str(number), "due_s": due_s, "answered_s": answered_s}
            connection.execute(insert(tickets).values(values))
        for seq, (subject, done_s) in enumerate([("a", None), ("a", None), ("b", None), ("c", now_s)]):
            values = {"store": "s1", "subject": subject, "ledger_seq": seq, "asked_s": now_s, "received_s": now_s}
            connection.execute(insert(erasures).values({**values, "done_s": done_s}))
        found = waiting(connection, now=kit.NOON)
    engine.dispose()
    assert found == {"s1": Waiting(tickets=2, overdue=1, erasures=2)}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Questions waiting", "1 overdue", "Erasures waiting")),
        ("zh-CN", ("待回复提问", "1 条已逾期", "待处理删除请求")),
    ],
)
def test_the_page_says_who_waits(tmp_path: Path, kit: Any, language: str, words: tuple[str, ...]) -> None:
    """In total and by store, in both languages; what is overdue stands out."""
    hq = kit.RunningHq(tmp_path / "open-hq", page_open=True)
    hq.add_store("s1")
    hq.start()
    hq.post([kit.event(ticket(kit), 1), kit.event(ticket(kit, ticket=TICKET_ID.replace("0", "1")), 2)])
    hq.post([kit.event(ticket(kit, ticket=TICKET_ID.replace("0", "2"), due=kit.NOON - timedelta(days=1)), 3)])
    hq.post([kit.event(erasure(kit), 4)])
    page = hq.get(f"/?lang={language}").text
    hq.stop()
    assert all(word in page for word in words)
    assert "<dd>3 <span" in page
    assert "<dd>1</dd>" in page


def test_an_hq_of_before_learns_it(tmp_path: Path, kit: Any) -> None:
    """A database that was made without these tables gets them when it is opened, and keeps what it had."""
    url = sqlite_url(tmp_path)
    engine = open_database(url)
    with engine.begin() as connection:
        add_store(connection, "s1", credential="c", timezone="UTC", renew=False, at=kit.NOON)
        for table in (tickets, erasures):
            table.drop(connection)
        connection.exec_driver_sql("DELETE FROM migrations WHERE name = 'm002_requests'")
    engine.dispose()
    engine = open_database(url)
    with engine.begin() as connection:
        assert waiting(connection, now=kit.NOON) == {}
        assert connection.execute(select(stores.c.store)).scalars().all() == ["s1"]
    engine.dispose()
