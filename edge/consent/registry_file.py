"""`consent.db` as a file: its transactions, the witness beside it, and the shredding of what was destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from edge.consent.checkpoint import Checkpoint, read_witness, witness_of, write_witness
from edge.consent.deed import Deed
from edge.consent.ledger import GENESIS, LedgerBroken, link_hash
from edge.consent.subject import Random
from edge.privacy.keyring import Keyring
from edge.storage.consent_schema import consent_migrations
from edge.storage.database import OwnedDatabase, transaction

__all__ = ["RegistryFile"]

log = structlog.get_logger(__name__)

_SHRED_PATIENCE_MS = 250
_PATIENCE_MS = 10_000
_CHECKPOINT = "SELECT seq, hash, at, signature, key_id FROM"


def _text(raw: bytes) -> str:
    """Text that is no UTF-8 any more is text that was altered; it must not keep us from saying where."""
    return raw.decode(errors="backslashreplace")


class RegistryFile:
    """The database of the registry. One caller at a time."""

    def __init__(self, path: Path, *, keyring: Keyring) -> None:
        """Open or make it, and see that the ledger's end is what was signed.

        Raises:
            StorageError: another process owns it, or it cannot be opened.
            LedgerBroken: the end of the ledger is missing or altered.
        """
        self._keyring = keyring
        self._witness = witness_of(path)
        self._database = OwnedDatabase(path, migrations=consent_migrations)
        self.sql = self._database.connection
        try:
            self.sql.execute("PRAGMA temp_store=MEMORY")  # a statement's journal in /tmp would hold keys
            self.sql.text_factory = _text
            self._check_end()
            self._unshredded = False
            self.shred()  # the process may have died between destroying a key and this
        except BaseException:  # whatever stops it, a Ctrl-C too, gives the file free again; it is raised on
            self.close()
            raise

    @contextmanager
    def deed(self, *, at: datetime, random: Random) -> Iterator[Deed]:
        """A transaction: durable, signed and all of it when the block ends; nothing of it if the block fails."""
        with transaction(self.sql) as sql:
            deed = Deed(sql, keyring=self._keyring, at=at, random=random)
            yield deed
            checkpoint = deed.finish()
        if checkpoint is not None:
            self._bear_witness(checkpoint)
        if deed.key_destroyed or self._unshredded:
            self.shred(patience_ms=_SHRED_PATIENCE_MS if deed.key_destroyed else 0)

    def shred(self, *, patience_ms: int = _SHRED_PATIENCE_MS) -> None:
        """See that no destroyed key is left in the write-ahead log: move it into the database and truncate it.

        A reader in a long transaction holds it off; it is then tried again after the next deed.
        """
        self.sql.execute(f"PRAGMA busy_timeout = {patience_ms}")
        (busy, _, _) = self.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.sql.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        if busy and not self._unshredded:
            log.warning("shred.waits", reason="a reader holds the write-ahead log")
        self._unshredded = bool(busy)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _bear_witness(self, checkpoint: Checkpoint) -> None:
        try:
            write_witness(self._witness, checkpoint)
        except OSError as error:
            # The deed is done and must be acknowledged; the next checkpoint tries again.
            log.error("witness.unwritten", error=error.strerror, file=self._witness.name)

    def _check_end(self) -> None:
        """The head is signed, is the last entry, and no witness has seen more."""
        head = self._last("head")
        seq = 0 if head is None else head.seq
        if head is not None:
            head.verify(self._keyring.verify_keys())
        if self.sql.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone() != (seq,):
            raise LedgerBroken(seq, "it is signed as the last one, and is not")
        if head is not None and self._hash_of(seq) != head.hash:
            raise LedgerBroken(seq, "it is not what was signed")
        self._check_witness(seq)

    def _check_witness(self, seq: int) -> None:
        witness, newest = read_witness(self._witness), self._last("checkpoints")
        if witness is not None:
            witness.verify(self._keyring.verify_keys())
            if witness.seq > seq:
                raise LedgerBroken(seq + 1, f"missing, with all after it: {self._witness.name} has seen {witness.seq}")
            if self._hash_of(witness.seq) != witness.hash:
                raise LedgerBroken(witness.seq, f"it is not what {self._witness.name} has seen")
        elif newest is not None:
            log.warning("witness.missing", file=self._witness.name)
        if newest is not None and (witness is None or witness.seq < newest.seq):
            self._bear_witness(newest)

    def _last(self, table: str) -> Checkpoint | None:
        row = self.sql.execute(f"{_CHECKPOINT} {table} ORDER BY seq DESC LIMIT 1").fetchone()
        return None if row is None else Checkpoint(*row)

    def _hash_of(self, seq: int) -> bytes:
        """The hash of an entry, computed from it and the one before."""
        rows = self.sql.execute("SELECT entry, hash FROM ledger WHERE seq IN (?, ?) ORDER BY seq", (seq - 1, seq))
        hashes = rows.fetchall()
        previous = hashes[0][1] if len(hashes) == 2 else GENESIS
        return link_hash(previous, hashes[-1][0]) if hashes else b""
