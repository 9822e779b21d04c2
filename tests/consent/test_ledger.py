"""Whatever is altered in the ledger, or cut off it, is found, and the first broken entry is named."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from consenting import START, Clock, Shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.consent.checkpoint import read_witness, sign, witness_of
from edge.consent.derived import SubjectState
from edge.consent.ledger import GENESIS, Chain, Entry, LedgerBroken, link_hash, rfc3339
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import subject_of, to_bytes
from edge.consent.verify import verify_registry
from edge.errors import StorageError
from edge.privacy.keyring import Keyring
from edge.storage.store import Store

SIZE, OFFERS = "size_recommendation", "in_store_offers"
BROKEN = (LedgerBroken, StorageError)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

subjects = st.binary(min_size=16, max_size=16).map(subject_of)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
entries = st.builds(
    Entry,
    seq=st.just(1),
    at=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    kind=st.sampled_from(["shown", "granted", "withdrawn", "exported"]),
    act=texts,
    subject=st.none() | subjects,
    purpose=st.none() | texts,
    notice=st.none() | texts,
    details=st.dictionaries(st.sampled_from(["channel", "until", "language"]), texts),
)


class Kept:
    """A folder with a small busy registry, restored to what it was after each tampering."""

    def __init__(self, folder: Path) -> None:
        self.shop = shop = Shop(folder / "shop")
        people = [shop.give(SIZE, OFFERS).subject for _ in range(4)]
        shop.registry.withdraw(people[0], [SIZE], channel="phone")
        shop.registry.withdraw(people[1], channel="phone")
        shop.registry.erase(people[2], channel="phone")
        shop.clock.forward(hours=2)
        shop.give(OFFERS, subject=people[0])
        shop.close()
        self.entries = shop.verify().entries
        self._folder, self._backup = folder / "shop", folder / "backup"
        shutil.copytree(self._folder, self._backup)

    @contextmanager
    def tampering(self) -> Iterator[sqlite3.Connection]:
        """Change the file; `shop.verify` sees it until the block ends."""
        try:
            with self.shop.tampering() as sql:
                yield sql
        finally:
            shutil.rmtree(self._folder)
            shutil.copytree(self._backup, self._folder)

    def broken_by(self, *statements: tuple[str, *tuple[object, ...]]) -> LedgerBroken:
        """What verifying says after these statements."""
        with self.tampering() as sql:
            for statement, *parameters in statements:
                sql.execute(statement, parameters)
            with pytest.raises(LedgerBroken) as broken:
                self.shop.verify()
        return broken.value


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One for the whole module: each test leaves it as it found it."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "shop").mkdir()
    return Kept(folder)


def flip(value: bytes, bit: int) -> bytes:
    """`value` with one bit of it turned."""
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 1 << bit % 8
    return bytes(changed)


@given(entries)
def test_an_entry_reads_back_as_it_was_written(entry: Entry):
    """To the millisecond, whatever the words."""
    back = Entry.decode(entry.encode())
    assert back == replace(entry, at=datetime.fromisoformat(rfc3339(entry.at)))
    assert back.encode() == entry.encode()


@given(entries)
def test_a_chain_takes_an_entry_once_in_its_place(entry: Entry):
    """The same bytes after another entry, or under another number, do not follow."""
    raw = entry.encode()
    subject = None if entry.subject is None else to_bytes(entry.subject)
    chain = Chain()
    chain.add(1, subject, raw, link_hash(GENESIS, raw))
    assert (chain.seq, chain.hash) == (1, link_hash(GENESIS, raw))
    for start, seq in ((Chain(), 2), (chain, 2), (Chain(0, bytes(31) + b"\x01"), 1)):
        with pytest.raises(LedgerBroken):
            start.add(seq, subject, raw, link_hash(GENESIS, raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"v":1,"seq":1,"kind":"shown","at":"x","act":"a"}',
        b'{ "act":"a","kind":"shown","seq":1,"v":1}',
        b'{"act":"a","kind":"shown","kind":"shown","seq":1,"v":1}',
        b'{"act":"\\u00e4","kind":"shown","seq":1,"v":1}',
        b'{"act":NaN,"kind":"shown","seq":1,"v":1}',
        b'{"act":"a","kind":"shown","seq":1,"v":1}\n',
        b"[" * 100_000,
        b"\xff",
        b"",
        b"1",
    ],
)
def test_only_canonical_form_is_an_entry(raw: bytes):
    """Even under a hash that follows: one meaning has one sequence of bytes."""
    with pytest.raises(LedgerBroken, match="canonical"):
        Chain().add(1, None, raw, link_hash(GENESIS, raw))


def test_a_well_kept_registry_verifies(kept: Kept):
    """And says how much it is."""
    found = kept.shop.verify()
    assert found.entries == kept.entries
    assert (found.subjects, found.checkpoints, found.witness_seq) == (4, 2, kept.entries)


def test_an_empty_registry_verifies(tmp_path: Path):
    """Nothing has been written, and nothing is missing."""
    shop = Shop(tmp_path)
    assert shop.verify().entries == 0
    shop.close()


@MANY
@given(row=st.integers(0, 10**6), bit=st.integers(0, 10**6), column=st.sampled_from(["entry", "hash", "subject"]))
def test_any_bit_of_a_row_is_missed_and_the_row_named(kept: Kept, row: int, bit: int, column: str):
    """Entry, hash or subject, whichever bit: the error names that entry and no other."""
    seq = row % kept.entries + 1
    with kept.tampering() as sql:
        (value,) = sql.execute(f"SELECT {column} FROM ledger WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        sql.execute(f"UPDATE ledger SET {column} = ? WHERE seq = ?", (flip(value, bit), seq))  # noqa: S608
        with pytest.raises(LedgerBroken) as broken:
            kept.shop.verify()
        assert broken.value.seq == seq


@MANY
@given(row=st.integers(0, 10**6), bit=st.integers(0, 62))
def test_any_bit_of_a_number_is_missed(kept: Kept, row: int, bit: int):
    """An entry moved elsewhere leaves a gap or takes another's place, and the first of the two is named."""
    seq = row % kept.entries + 1
    with kept.tampering() as sql:
        sql.execute("UPDATE OR REPLACE ledger SET seq = ? WHERE seq = ?", (seq ^ 1 << bit, seq))
        with pytest.raises(LedgerBroken) as broken:
            kept.shop.verify()
        assert broken.value.seq == max(1, min(seq, seq ^ 1 << bit))


@MANY
@given(
    table=st.sampled_from(["head", "checkpoints"]),
    column=st.sampled_from(["seq", "hash", "at", "signature", "key_id"]),
    bit=st.integers(0, 10**6),
)
def test_any_bit_of_what_is_signed_is_missed(kept: Kept, table: str, column: str, bit: int):
    """Number, hash, time, key and signature of the head and of every checkpoint."""
    with kept.tampering() as sql:
        key, value = sql.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid LIMIT 1").fetchone()  # noqa: S608
        if isinstance(value, int):
            changed: object = value ^ 1 << bit % 62
        else:
            raw = flip(value if isinstance(value, bytes) else value.encode(), bit)
            changed = raw if isinstance(value, bytes) else raw.decode("latin-1")
        sql.execute(f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = ?", (changed, key))  # noqa: S608
        with pytest.raises(LedgerBroken):
            kept.shop.verify()


@MANY
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_any_bit_of_the_file_is_missed_or_harmless(kept: Kept, place: int, bit: int):
    """On the raw disk: it is found, or SQLite refuses the file, or every row still reads as it was written."""
    tables = ("ledger", "head", "checkpoints", "consents", "subjects")
    with kept.tampering() as sql:
        sql.text_factory = bytes
        before = [sql.execute(f"SELECT * FROM {table}").fetchall() for table in tables]  # noqa: S608
        path = kept.shop.path
        raw = path.read_bytes()
        at = place % len(raw)
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])
        try:
            kept.shop.verify()
        except BROKEN:
            return
        try:
            with kept.shop.tampering() as other:
                other.text_factory = bytes
                after = [other.execute(f"SELECT * FROM {table}").fetchall() for table in tables]  # noqa: S608
        except sqlite3.DatabaseError:
            return  # a damaged schema: SQLite itself refuses to open it for writing
        # What is no part of the promise: a subject's age band and time of birth, and the key's own bytes.
        assert after[:4] == before[:4]
        assert [(row[0], row[4]) for row in after[4]] == [(row[0], row[4]) for row in before[4]]


@pytest.mark.parametrize("lost", [1, 3, 11])
def test_a_deleted_tail_is_found(kept: Kept, lost: int):
    """By the head; by a checkpoint, if the head is gone; the first missing entry is named."""
    first = kept.entries - lost + 1
    cut = ("DELETE FROM ledger WHERE seq >= ?", first)
    for statements in ((cut,), (cut, ("DELETE FROM head",))):
        broken = kept.broken_by(*statements)
        assert broken.seq == first
        assert "missing" in broken.what


def roll_back(kept: Kept, sql: sqlite3.Connection, *, to: int) -> None:
    """Cut the tail as somebody with the keyring would: head, checkpoints and derived tables rolled back with it."""
    shop = kept.shop
    sql.execute("DELETE FROM ledger WHERE seq > ?", (to,))
    (digest,) = sql.execute("SELECT hash FROM ledger WHERE seq = ?", (to,)).fetchone()
    head = sign(to, digest, at=rfc3339(START), key=shop.keyring.signing_key(), key_id=shop.keyring.signing_key_id())
    row = (head.seq, head.hash, head.at, head.signature, head.key_id)
    for table in ("head", "checkpoints"):
        sql.execute(f"DELETE FROM {table}")  # noqa: S608
        sql.execute(f"INSERT INTO {table} (seq, hash, at, signature, key_id) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608
    states: dict[bytes, SubjectState] = {}
    for subject, entry in sql.execute("SELECT subject, entry FROM ledger"):
        states.setdefault(subject, SubjectState()).add(Entry.decode(entry).fields())
    sql.execute("DELETE FROM consents")
    for subject, state in states.items():
        rows = [(subject, *one) for one in state.rows.values()]
        sql.executemany("INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?)", rows)
        key = b"k" * 69 if state.key_lives else None
        sql.execute("UPDATE subjects SET key = ?, erased_seq = ? WHERE subject = ?", (key, state.erased_seq, subject))
    sql.execute(f"DELETE FROM subjects WHERE subject NOT IN ({','.join('?' * len(states))})", list(states))  # noqa: S608


def test_a_tail_rolled_back_with_head_and_checkpoints_is_found_by_the_witness_file(kept: Kept):
    """The file outside the database has seen more; a registry does not open on it either."""
    with kept.tampering() as sql:
        roll_back(kept, sql, to=kept.entries - 9)
        with pytest.raises(LedgerBroken, match="the witness file has seen") as broken:
            kept.shop.verify()
        assert broken.value.seq == kept.entries - 8
        with pytest.raises(LedgerBroken, match=r"consent\.checkpoint has seen"):
            kept.shop.reopen()


def test_without_the_witness_file_the_gateway_remembers(kept: Kept, tmp_path: Path):
    """Head, checkpoints and witness file rolled back together: the gateway's position has seen more."""
    rows = kept.shop.rows("SELECT seq, hash FROM ledger WHERE seq = ?", kept.entries)
    store = Store(tmp_path / "store.db")
    with store.transaction() as tx:
        tx.followed_consent(*rows[0])
    store.close()
    assert kept.shop.verify(tmp_path / "store.db").followed_seq == kept.entries
    with kept.tampering() as sql:
        roll_back(kept, sql, to=kept.entries - 9)
        witness_of(kept.shop.path).unlink()
        with pytest.raises(LedgerBroken, match=r"witness file consent\.checkpoint is gone"):
            kept.shop.verify()
        kept.shop.reopen()  # writes a witness of what is there now
        kept.shop.close()
        assert kept.shop.verify().entries == kept.entries - 9
        with pytest.raises(LedgerBroken, match="the gateway has seen") as broken:
            kept.shop.verify(tmp_path / "store.db")
        assert broken.value.seq == kept.entries - 8


def test_another_history_under_the_same_numbers_is_found(kept: Kept, tmp_path: Path):
    """A ledger begun anew with the same keys, and longer: the witnesses have seen other hashes."""
    ((digest,),) = kept.shop.rows("SELECT hash FROM ledger WHERE seq = 9")
    store = Store(tmp_path / "store.db")
    with store.transaction() as tx:
        tx.followed_consent(9, digest)
    store.close()
    with kept.tampering():
        kept.shop.path.unlink()
        old = witness_of(kept.shop.path).read_bytes()
        witness_of(kept.shop.path).unlink()
        kept.shop.registry = kept.shop._open()
        for _ in range(8):
            kept.shop.give(SIZE)
        kept.shop.close()
        with pytest.raises(LedgerBroken, match="not what the gateway has seen") as broken:
            kept.shop.verify(tmp_path / "store.db")
        assert broken.value.seq == 9
        witness_of(kept.shop.path).write_bytes(old)
        with pytest.raises(LedgerBroken, match="not what the witness file has seen"):
            kept.shop.verify()
        with pytest.raises(LedgerBroken, match=r"not what consent\.checkpoint has seen"):
            kept.shop.reopen()


def test_a_chain_computed_anew_has_no_signature(kept: Kept):
    """Who can write the file but has no keyring cannot make an altered entry stand."""
    with kept.tampering() as sql:
        rows = sql.execute("SELECT seq, entry FROM ledger ORDER BY seq").fetchall()
        previous = GENESIS
        for seq, entry in rows:
            changed = entry.replace(b'"kind":"refused"', b'"kind":"granted"') if seq == 5 else entry
            previous = link_hash(previous, changed)
            sql.execute("UPDATE ledger SET entry = ?, hash = ? WHERE seq = ?", (changed, previous, seq))
        with pytest.raises(LedgerBroken, match="checkpoint"):
            kept.shop.verify()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE consents SET state = 'granted' WHERE state = 'withdrawn'", "does not have it so"),
        ("UPDATE consents SET expires_s = expires_s + 1 WHERE state = 'granted'", "does not have it so"),
        ("UPDATE consents SET notice = 'x'", "does not have it so"),
        ("UPDATE consents SET purpose = 'x' WHERE purpose = 'member_link'", "does not have it so"),
        ("DELETE FROM consents WHERE state = 'withdrawn'", "does not have it so"),
        (
            "INSERT INTO consents SELECT subject, 'x', state, notice, since_seq, 0 FROM consents LIMIT 1",
            "no entry led to",
        ),
        ("INSERT INTO consents VALUES (zeroblob(16), 'x', 'granted', 'n', 1, 0)", "that no entry names"),
        ("DELETE FROM subjects WHERE erased_seq IS NOT NULL", "not among the subjects"),
        ("UPDATE subjects SET erased_seq = NULL", "whether its subject is erased"),
        ("UPDATE subjects SET key = x'00' WHERE key IS NULL", "should be destroyed"),
        ("UPDATE subjects SET key = NULL", "lost its key"),
        (
            "INSERT INTO subjects VALUES (x'ffffffffffffffffffffffffffffffffff', NULL, NULL, 0, NULL)",
            "that no entry names",
        ),
        ("INSERT INTO subjects VALUES (zeroblob(16), NULL, NULL, 0, NULL)", "that no entry names"),
        ("INSERT INTO subjects VALUES ('text', NULL, NULL, 0, NULL)", "that no entry names"),
    ],
)
def test_what_is_derived_must_follow_from_the_ledger(kept: Kept, statement: str, says: str):
    """A consent made up in the table, or a key that should be gone, is found though the chain is whole."""
    assert says in kept.broken_by((statement,)).what


def test_a_head_that_is_not_the_end_keeps_the_registry_shut(tmp_path: Path):
    """It does not go on writing over a gap."""
    shop = Shop(tmp_path)
    shop.give(SIZE)
    for statement in (
        "UPDATE head SET at = '2026-01-01T00:00:00.000Z'",
        "UPDATE ledger SET entry = x'00' WHERE seq = 7",
        "DELETE FROM ledger WHERE seq = 7",
    ):
        shop.close()
        with shop.tampering() as sql:
            sql.execute("BEGIN")
            saved = [sql.execute(f"SELECT * FROM {table}").fetchall() for table in ("ledger", "head")]  # noqa: S608
            sql.execute(statement)
            sql.execute("COMMIT")
            with pytest.raises(LedgerBroken):
                shop._open()
            for table, rows in zip(("ledger", "head"), saved, strict=True):
                sql.execute(f"DELETE FROM {table}")  # noqa: S608
                marks = ",".join("?" * len(rows[0]))
                sql.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        shop.registry = shop._open()
    shop.close()


def test_checkpoints_come_every_thousand_entries_and_every_hour(tmp_path: Path):
    """And the newest lies in the witness file, durably, before the next can be due."""
    shop = Shop(tmp_path)
    while shop.give(SIZE).seq < 2010:
        pass
    assert [seq // 1000 for (seq,) in shop.rows("SELECT seq FROM checkpoints ORDER BY seq")] == [0, 1, 2]
    shop.clock.forward(minutes=61)
    seq = shop.give(SIZE).seq
    witness = read_witness(witness_of(shop.path))
    assert witness is not None
    assert witness.seq == seq
    shop.clock.forward(days=-400)  # a box without a battery clock
    seq = shop.give(SIZE).seq
    shop.clock.forward(minutes=61)
    shop.give(SIZE)
    assert shop.rows("SELECT count(*) FROM checkpoints") == [(6,)]
    shop.verify()
    shop.close()


def test_a_registry_signed_by_rotated_keys_verifies(tmp_path: Path):
    """The public halves stay; another keyring's do not do."""
    shop = Shop(tmp_path)
    for day in range(3):
        shop.give(SIZE)
        shop.keyring.rotate(START + timedelta(days=day))
        shop.clock.forward(hours=2)
    assert shop.verify().checkpoints == 3
    shop.close()
    (tmp_path / "other").mkdir()
    other = Keyring.open(tmp_path / "other" / "keyring.json")
    with pytest.raises(LedgerBroken, match="no key of this keyring"):
        verify_registry(shop.path, keys=other.verify_keys())
    with pytest.raises(LedgerBroken, match="no key of this keyring"):
        ConsentRegistry(shop.path, keyring=other, purposes=shop.purposes, clock=Clock())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"seq":1}', b"\xff"])
def test_a_spoilt_witness_file_is_said(kept: Kept, content: bytes):
    """It is not taken for an absent one."""
    with kept.tampering():
        witness_of(kept.shop.path).write_bytes(content)
        with pytest.raises(LedgerBroken, match="cannot be read"):
            kept.shop.verify()


def test_verifying_while_somebody_writes_sees_one_moment(tmp_path: Path):
    """Entries and witnesses that come while it reads do not disturb it."""
    shop = Shop(tmp_path)
    shop.give(SIZE)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            shop.clock.forward(hours=1)  # each gets a checkpoint, and goes to the witness file
            shop.registry.withdraw(shop.give(SIZE).subject, channel="kiosk")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [shop.verify().entries for _ in range(20)]
    finally:
        stop.set()
        writer.join()
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]
    shop.close()
