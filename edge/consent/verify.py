"""Verifying the registry: the whole ledger recomputed, its end held against every witness, and what was derived from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlite_utils import Database

from edge.consent.checkpoint import Checkpoint, read_witness, witness_of
from edge.consent.derived import SubjectState
from edge.consent.ledger import Chain, LedgerBroken, parse
from edge.errors import StorageError
from edge.storage.consent_schema import consent_migrations
from edge.storage.database import open_reader

__all__ = ["Verified", "followed_position", "verify_registry"]

_SIGNED = "SELECT seq, hash, at, signature, key_id FROM"
Position = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was verified. `witness_seq` and `followed_seq`: how far each witness outside the database has seen."""

    entries: int
    subjects: int
    consents: int
    checkpoints: int
    head_hash: str
    witness_seq: int
    followed_seq: int | None


def verify_registry(
    path: Path,
    *,
    keys: Mapping[str, Ed25519PublicKey],
    store_db: Path | None = None,
) -> Verified:
    """Read all of `consent.db` at `path` once in its order and once by subject, with flat memory.

    `keys`: every public key that ever signed. `store_db`: the gateway's database, which knows how far it has followed.

    Raises:
        LedgerBroken: something is not what was written; it names the first entry that is wrong.
        StorageError: there is no database, or it cannot be read.
    """
    # Before the snapshot: neither can then have seen more than the snapshot holds.
    witness = read_witness(witness_of(path))
    followed = None if store_db is None else followed_position(store_db)
    try:
        with open_reader(path) as sql:
            sql.row_factory = None
            sql.text_factory = _text
            sql.execute("BEGIN")
            _verify_tables(sql, path)
            chain, named, checkpoints = _verify_chain(sql, keys=keys, seen=_seen(witness, followed, keys=keys))
            _verify_end(sql, chain, keys=keys, witness=witness, followed=followed)
            subjects, consents = _verify_derived(sql, named=named)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where a name in the schema is damaged
        raise StorageError("verify ledger", f"{path}: {error}", "the file is damaged; restore a backup") from error
    return Verified(
        entries=chain.seq,
        subjects=subjects,
        consents=consents,
        checkpoints=checkpoints,
        head_hash=chain.hash.hex(),
        witness_seq=0 if witness is None else witness.seq,
        followed_seq=None if followed is None else followed[0],
    )


def followed_position(store_db: Path) -> Position | None:
    """How far the gateway has followed the ledger, and the hash it saw there; None where it has not begun.

    Raises:
        StorageError: there is a database, and it cannot be read.
    """
    if not store_db.exists():
        return None
    try:
        with open_reader(store_db) as sql:
            known = sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'consent_position'").fetchone()
            row = sql.execute("SELECT seq, hash FROM consent_position").fetchone() if known else None
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StorageError("verify ledger", f"{store_db}: {error}", "restore a backup") from error
    return (int(row[0]), bytes(row[1])) if row is not None and row[0] > 0 else None


def _text(raw: bytes) -> str:
    """Text that is no UTF-8 any more differs from what was signed or derived, and is found there, with its entry's number."""
    return raw.decode(errors="backslashreplace")


def _seen(
    witness: Checkpoint | None, followed: Position | None, *, keys: Mapping[str, Ed25519PublicKey]
) -> dict[int, list[tuple[str, bytes]]]:
    """What the witnesses outside the database have seen, by the entry's number."""
    seen: dict[int, list[tuple[str, bytes]]] = {}
    if witness is not None:
        witness.verify(keys)
        seen.setdefault(witness.seq, []).append(("the witness file has", witness.hash))
    if followed is not None:
        seen.setdefault(followed[0], []).append(("the gateway has", followed[1]))
    return seen


def _verify_chain(
    sql: sqlite3.Connection,
    *,
    keys: Mapping[str, Ed25519PublicKey],
    seen: dict[int, list[tuple[str, bytes]]],
) -> tuple[Chain, int, int]:
    """Every entry in order, and every checkpoint where it stands; how many entries name a subject, how many checkpoints."""
    chain, named, checkpoints = Chain(), 0, 0
    signed = _checkpoints(sql, keys=keys)
    due = next(signed, None)
    for seq, subject, entry, digest in sql.execute("SELECT seq, subject, entry, hash FROM ledger ORDER BY seq"):
        chain.add(seq, subject, entry, digest)
        named += subject is not None
        if due is not None and seq == due.seq:
            if digest != due.hash:
                raise LedgerBroken(seq, "it is not what its checkpoint was signed for")
            due, checkpoints = next(signed, None), checkpoints + 1
        if seq in seen:
            for who, expected in seen[seq]:
                if digest != expected:
                    raise LedgerBroken(seq, f"it is not what {who} seen")
    if due is not None:
        raise LedgerBroken(chain.seq + 1, f"missing, with all after it: a checkpoint was signed for {due.seq}")
    return chain, named, checkpoints


def _checkpoints(sql: sqlite3.Connection, *, keys: Mapping[str, Ed25519PublicKey]) -> Iterator[Checkpoint]:
    for row in sql.execute(f"{_SIGNED} checkpoints ORDER BY seq"):
        checkpoint = Checkpoint(*row)
        if type(checkpoint.seq) is not int or checkpoint.seq < 1:  # a damaged schema gives back other types
            raise LedgerBroken(0, "a checkpoint is signed for no entry")
        checkpoint.verify(keys)
        yield checkpoint


def _verify_tables(sql: sqlite3.Connection, path: Path) -> None:
    """The tables are still those that were made: a column that has lost its type gives back other values."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        consent_migrations.apply(Database(fresh))
        made, found = (
            {tuple(row) for row in one.execute("SELECT type, name, sql FROM sqlite_master")} for one in (fresh, sql)
        )
    # Subjects are read by their index below; that it says what the rows say is SQLite's own to check.
    (told,) = sql.execute("PRAGMA integrity_check(subjects)").fetchone()
    if made != found or told != "ok":
        raise StorageError(
            "verify ledger", f"{path}: its tables are not as they were made", "the file is damaged; restore a backup"
        )


def _verify_end(
    sql: sqlite3.Connection,
    chain: Chain,
    *,
    keys: Mapping[str, Ed25519PublicKey],
    witness: Checkpoint | None,
    followed: Position | None,
) -> None:
    """The last entry is the one that the head was signed for, and nobody has seen a later one."""
    seen = (
        ("the witness file", 0 if witness is None else witness.seq),
        ("the gateway", 0 if followed is None else followed[0]),
    )
    for who, seq in seen:
        if seq > chain.seq:
            raise LedgerBroken(chain.seq + 1, f"missing, with all after it: {who} has seen {seq}")
    row = sql.execute(f"{_SIGNED} head").fetchone()
    head = None if row is None else Checkpoint(*row)
    if head is None:
        if chain.seq:
            raise LedgerBroken(chain.seq, "the signed head is missing")
        return
    head.verify(keys)
    if head.seq > chain.seq:
        raise LedgerBroken(chain.seq + 1, f"missing, with all after it: the head was signed for {head.seq}")
    if (head.seq, head.hash) != (chain.seq, chain.hash):
        raise LedgerBroken(chain.seq, "the head was signed for another entry")
    if witness is None:
        raise LedgerBroken(0, "the witness file consent.checkpoint is gone, so a missing end cannot be ruled out")


def _verify_derived(sql: sqlite3.Connection, *, named: int) -> tuple[int, int]:
    """The tables `consents` and `subjects` are what follows from the ledger; one subject at a time, so memory stays flat."""
    # The index leads to the entries; that it leads to all of them is what `named` is for.
    entries = sql.execute(
        """SELECT subject, entry FROM ledger INDEXED BY ledger_by_subject WHERE subject IS NOT NULL
           ORDER BY subject, seq"""
    )
    consents = _by_subject(
        sql.execute(
            "SELECT subject, purpose, state, notice, since_seq, expires_s FROM consents ORDER BY subject, purpose"
        )
    )
    subjects = sql.execute("SELECT subject, key, erased_seq FROM subjects ORDER BY subject")
    kept = next(consents, None)
    found = counted = rows = 0
    for subject, group in groupby(entries, itemgetter(0)):
        state = SubjectState()
        for _, entry in group:
            state.add(parse(entry))
            found += 1
        held: list[Any] = []
        _nobodys(kept, subject, table="consents")
        if kept is not None and kept[0] == subject:
            held, kept = kept[1], next(consents, None)
        row = next(subjects, None)
        _nobodys(row, subject, table="subjects")
        _compare(state, held, row, subject=subject)
        counted, rows = counted + 1, rows + len(held)
    _nothing_left(kept, next(subjects, None), found=found, named=named)
    return counted, rows


def _by_subject(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[bytes, list[Any]]]:
    for subject, group in groupby(rows, itemgetter(0)):
        yield subject, [row[1:] for row in group]


def _compare(state: SubjectState, held: list[Any], row: tuple[Any, ...] | None, *, subject: bytes) -> None:
    """One subject's rows against the ledger's."""
    if len(held) != len(state.rows) or any(state.rows.get(one[0]) != one for one in held):
        raise _difference(state, held)
    if row is None or row[0] != subject:
        raise LedgerBroken(state.last_seq, "its subject is not among the subjects")
    _, key, erased_seq = row
    if erased_seq != state.erased_seq:
        raise LedgerBroken(state.last_seq, "the table of subjects says otherwise whether its subject is erased")
    if (key is not None) != state.key_lives:
        what = "its subject has lost its key" if state.key_lives else "its subject's key should be destroyed"
        raise LedgerBroken(state.last_seq, what)


def _difference(state: SubjectState, held: list[Any]) -> LedgerBroken:
    """The first decision that the table does not have as it was made, or else a row too many."""
    for due in sorted(state.rows.values(), key=lambda one: one.since_seq):
        if due not in held:
            return LedgerBroken(due.since_seq, "the table of consents does not have it so")
    return LedgerBroken(state.last_seq, "the table of consents has a row of its subject that no entry led to")


def _nobodys(row: tuple[Any, ...] | None, subject: bytes | None, *, table: str) -> None:
    """In order of subjects, a row before the one that is due belongs to nobody; after the last, every row does."""
    if row is not None and (subject is None or type(row[0]) is not bytes or row[0] < subject):
        raise LedgerBroken(0, f"the table of {table} has a row of a subject that no entry names")


def _nothing_left(kept: tuple[Any, ...] | None, row: tuple[Any, ...] | None, *, found: int, named: int) -> None:
    _nobodys(kept, None, table="consents")
    _nobodys(row, None, table="subjects")
    if found != named:
        raise LedgerBroken(0, f"the index by subject leads to {found} of {named} entries")
