"""What the consent registry writes has its effect in the store: once, in order, and only if it is whole."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from consenting import Shop

from edge.consent.reader import ConsentReader
from edge.facts import ConsentDecided
from edge.following import ConsentFollower
from edge.outbox.events import Erasure, Ticket, event_batch
from edge.outbox.table import Outbox, read_after
from edge.storage.database import open_reader
from edge.storage.store import Store

SIZE, OFFERS = "size_recommendation", "in_store_offers"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path):
    """A registry in a folder of its own."""
    made = Shop(tmp_path)
    yield made
    made.close()


class Box:
    """A store's database and its follower."""

    def __init__(self, shop: Shop) -> None:
        self.path = shop.folder / "store.db"
        self.store = Store(self.path)
        self.outbox = Outbox(store="shop-1", incarnation=self.store.incarnation)
        self.follower = ConsentFollower(ConsentReader(shop.path, keyring=shop.keyring))

    def follow(self) -> list[ConsentDecided]:
        """One turn, committed."""
        with self.store.transaction() as tx:
            return self.follower.run(tx, outbox=self.outbox, now=NOW)

    def sent(self) -> list[object]:
        """The bodies in the outbox."""
        with open_reader(self.path) as reader:
            return [
                event_batch.validate_json(b"[" + row + b"]")[0].data for _, row in read_after(reader, after=0, limit=99)
            ]


@pytest.fixture
def box(shop: Shop):
    """The gateway's side."""
    made = Box(shop)
    yield made
    made.store.close()


def test_decisions_become_anonymous_facts_once(shop: Shop, box: Box) -> None:
    """Yes, no and a yes taken back are counted by purpose; a second turn finds nothing new."""
    given = shop.give(SIZE, OFFERS)
    shop.registry.withdraw(given.subject, [OFFERS], channel="phone")
    counted = Counter((fact.purpose, fact.decision) for fact in box.follow())
    assert counted[SIZE, "granted"] == counted[OFFERS, "granted"] == counted[OFFERS, "withdrawn"] == 1
    assert counted["member_link", "refused"] == 1
    assert box.follow() == []


def test_an_erasure_goes_to_headquarters(shop: Shop, box: Box) -> None:
    """HQ is told the pseudonym and the entry, and nothing else."""
    given = shop.give(SIZE)
    seq = shop.registry.erase(given.subject, channel="phone")
    box.follow()
    (erasure,) = [body for body in box.sent() if isinstance(body, Erasure)]
    assert erasure.subject == given.subject
    assert erasure.ledger_seq == seq


def test_withdrawing_everything_is_an_erasure_too(shop: Shop, box: Box) -> None:
    """With the last yes gone the key is destroyed, and HQ must follow."""
    given = shop.give(SIZE)
    shop.registry.withdraw(given.subject, None, channel="kiosk")
    box.follow()
    assert [body.subject for body in box.sent() if isinstance(body, Erasure)] == [given.subject]


def test_a_ticket_leaves_sealed(shop: Shop, box: Box) -> None:
    """HQ gets the words as they were sealed."""
    shop.registry.open_ticket(
        "complaint", sealed=b"sealed to HQ", due=NOW + timedelta(days=30), language="en", channel="kiosk"
    )
    box.follow()
    (ticket,) = [body for body in box.sent() if isinstance(body, Ticket)]
    assert (ticket.about, ticket.language, ticket.sealed) == ("complaint", "en", "c2VhbGVkIHRvIEhR")


def test_a_rolled_back_turn_is_done_again(shop: Shop, box: Box) -> None:
    """What was not committed has not happened: no count, no event is lost or doubled."""
    shop.registry.erase(shop.give(SIZE).subject, channel="kiosk")

    def cut_short() -> None:
        with box.store.transaction() as tx:
            box.follower.run(tx, outbox=box.outbox, now=NOW)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        cut_short()
    assert box.sent() == []
    assert len(box.follow()) > 0
    assert len([body for body in box.sent() if isinstance(body, Erasure)]) == 1


def test_a_shortened_ledger_is_not_believed(shop: Shop, box: Box) -> None:
    """The gateway remembers how far the ledger went; one that ends earlier, or differs there, shuts the gate."""
    shop.give(SIZE)
    box.follow()
    assert box.follower.doubt() is None
    with shop.tampering() as sql:
        sql.execute("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)")
    assert box.follow() == []
    assert box.follower.doubt() == "the consent ledger is damaged"


def test_a_changed_entry_stops_the_following(shop: Shop, box: Box) -> None:
    """An entry that does not follow from the one before has no effect."""
    shop.give(SIZE)
    with shop.tampering() as sql:
        sql.execute("UPDATE ledger SET entry = replace(entry, 'granted', 'refused') WHERE seq = 2")
    assert box.follow() == []
    assert box.follower.doubt() is not None


def test_no_registry_yet_is_no_fault(tmp_path: Path, shop: Shop) -> None:
    """A gateway that starts before the web process has made the file just waits."""
    store = Store(tmp_path / "other.db")
    reader = ConsentReader(tmp_path / "none.db", keyring=shop.keyring)
    with store.transaction() as tx:
        assert ConsentFollower(reader).run(tx, outbox=Outbox(store="s", incarnation="i"), now=NOW) == []
    store.close()
