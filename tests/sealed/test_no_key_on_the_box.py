"""What the box has sealed it cannot open, whatever on its disk is tried as a key; headquarters can."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import shake_256
from pathlib import Path

import pytest
from consenting import Shop
from key_search import Search, files, search

from edge.cli import run
from edge.outbox.events import Ticket
from edge.outbox.table import Outbox
from edge.sealed.opening import Opener
from edge.sealed.recipient import RecipientKey, read_private, read_public, write_private
from edge.sealed.sealing import CannotOpen, SealedRecord, Sealer, SealSuite, seal
from edge.storage.store import Store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STORE_TOML = """
[store]
id = "linden"
[hq]
payment_key_file = "payment.public.json"
identity_key_file = "identity.public.json"
"""
TEXT = b"4111 1111 1111 1111, ada@example.com"


@dataclass(frozen=True)
class Box:
    """A box's state folder after a day, what it sealed, and headquarters' folder."""

    state: Path
    hq: Path
    records: list[SealedRecord]

    def search(self) -> Search:
        recipients = [read_public(path) for path in self.hq.glob("*.public.json")]
        return search(self.state, self.records, recipients)


def sealed_by_the_box(state: Path, *, shop: Shop, store: Store) -> list[SealedRecord]:
    """One record of each purpose and suite, each to its own key; each goes through registry and outbox."""
    given = shop.give("size_recommendation", "member_link")
    shop.registry.put_data(given.subject, "tag", b"liked the coats")
    shop.keyring.rotate(NOW)
    records = []
    for purpose in ("payment", "identity"):
        recipient = read_public(state / f"{purpose}.public.json")
        for suite in SealSuite:
            sealer = Sealer(recipient, store="linden", purpose=purpose, suite=suite)
            records.append(sealer.seal(TEXT, record=f"{purpose}-{suite}"))
    with store.transaction() as tx:
        for record in records:
            ticket = shop.registry.open_ticket(
                "question", sealed=record.sealed, due=NOW + timedelta(days=9), language="en", channel="kiosk"
            )
            body = Ticket(
                ticket=ticket.id,
                about="question",
                language="en",
                due=ticket.due_at,
                sealed=b64encode(record.sealed).decode(),
            )
            Outbox(store="linden", incarnation=store.incarnation).put(tx, body, at=NOW)
    return records


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box in the midst of its day: databases open, write-ahead logs beside them."""
    state, hq = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("hq")
    (state / "store.toml").write_text(STORE_TOML)
    for purpose in ("payment", "identity"):
        assert run(["keys", "make-recipient", purpose, "--out", str(hq)]) == 0
        (state / f"{purpose}.public.json").write_bytes((hq / f"{purpose}.public.json").read_bytes())
    with closing(Shop(state)) as shop, closing(Store(state / "store.db")) as store:
        yield Box(state, hq, sealed_by_the_box(state, shop=shop, store=store))


def test_nothing_on_the_boxs_disk_opens_what_it_sealed(box: Box):
    """Every 32 bytes in a row of every file as X25519 key, as seed and as data key, every 64 as ML-KEM seed, and in pairs."""
    found = box.search()
    assert found.opened == []
    names = {path.name for path in files(box.state)}
    assert {"keyring.json", "store.db", "store.db-wal", "consent.db", "consent.db-wal", "store.toml"} <= names
    assert found.windows > 10_000


def test_headquarters_opens_all_of_it(box: Box):
    """Either key its own, and no other."""
    opener = Opener.in_folder(box.hq)
    for record in box.records:
        bound = {"store": "linden", "purpose": record.purpose, "record": record.record}
        assert opener.open(record.sealed, **bound) == TEXT
        other = "identity" if record.purpose == "payment" else "payment"
        with pytest.raises(CannotOpen):
            Opener(read_private(box.hq / f"{other}.private.json")).open(record.sealed, **bound)


@pytest.mark.parametrize("form", ["file", "seed of draft-ietf-hpke-pq"])
def test_the_search_finds_a_private_key_that_was_left_on_the_box(box: Box, tmp_path: Path, form: str):
    """So that finding nothing means something: HQ's file as it is, or its halves apart, open both suites."""
    (tmp_path / "keyring.json").write_bytes((box.state / "keyring.json").read_bytes())
    key, records = read_private(box.hq / "payment.private.json"), box.records
    if form == "file":
        write_private(key, tmp_path / "left.json")
    else:
        seed = bytes(range(32))
        expanded = shake_256(seed).digest(96)
        key = RecipientKey.of(expanded[:64], expanded[64:])
        (tmp_path / "core").write_bytes(b"\x7fELF" + bytes(99) + seed + expanded[64:])
        records = [
            seal(TEXT, recipient=key.recipient(), store="linden", purpose="payment", suite=suite) for suite in SealSuite
        ]
    found = search(tmp_path, records, [key.recipient()])
    by_hpke = {how for how in found.opened if "HPKE" in how}
    assert by_hpke == {"X25519 by HPKE: payment", "MLKEM768_X25519 by HPKE: payment"}


@pytest.mark.parametrize("form", ["raw", "hex"])
def test_the_search_finds_a_data_key_that_was_written_down(box: Box, tmp_path: Path, form: str):
    """A record's own key, in the midst of a core file or a log."""
    key, recipient = bytes(range(7, 39)), read_public(box.hq / "payment.public.json")
    sealer = Sealer(recipient, store="linden", purpose="payment", random=lambda size: key[:size])
    left = key if form == "raw" else key.hex().encode()
    (tmp_path / "core").write_bytes(b"\x7fELF" + bytes(100) + left + b"\x00 and more")
    assert search(tmp_path, [sealer.seal(TEXT)], [recipient]).opened == ["a data key: payment"]
