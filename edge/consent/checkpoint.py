"""Checkpoints: how far the ledger had come, signed. The newest also lies in a file of its own, as a witness."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.consent.canonical import canonical
from edge.consent.ledger import LedgerBroken

__all__ = ["Checkpoint", "is_due", "read_witness", "sign", "witness_of", "write_witness"]

EVERY_ENTRIES = 1000
EVERY = timedelta(hours=1)
_LABEL = b"threshold-checkpoint-v1\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the ledger's entry `seq` had this hash at `at` (RFC 3339), signed with Ed25519 (RFC 8032)."""

    seq: int
    hash: bytes
    at: str
    signature: bytes
    key_id: str

    def verify(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Check the signature.

        Raises:
            LedgerBroken: it is not of one of `keys`, or of something else.
        """
        key = keys.get(self.key_id)
        try:
            if key is None:
                raise LedgerBroken(self.seq, "its checkpoint is signed by no key of this keyring")
            key.verify(self.signature, _statement(self.seq, self.hash, self.at, self.key_id))
        except (InvalidSignature, TypeError, AttributeError, ValueError):
            raise LedgerBroken(self.seq, "its checkpoint's signature is wrong") from None

    def to_json(self) -> bytes:
        """The one line of the witness file."""
        fields = _named(self.seq, self.hash, self.at, self.key_id)
        return canonical({**fields, "signature": base64.b64encode(self.signature).decode()}) + b"\n"


def sign(seq: int, digest: bytes, *, at: str, key: Ed25519PrivateKey, key_id: str) -> Checkpoint:
    """The checkpoint of entry `seq`."""
    return Checkpoint(seq, digest, at, key.sign(_statement(seq, digest, at, key_id)), key_id)


def is_due(last: tuple[int, str] | None, *, seq: int, at: datetime) -> bool:
    """Whether the entry `seq`, written at `at`, needs a checkpoint; `last` is the number and time of the one before."""
    if last is None:
        return True
    last_seq, last_at = last
    # A clock that was set back must not stop checkpoints for as long as it was ahead.
    return seq // EVERY_ENTRIES > last_seq // EVERY_ENTRIES or abs(at - datetime.fromisoformat(last_at)) >= EVERY


def witness_of(database: Path) -> Path:
    """The witness file of the registry at `database`: consent.checkpoint beside consent.db."""
    return database.with_suffix(".checkpoint")


def write_witness(path: Path, checkpoint: Checkpoint) -> None:
    """Put `checkpoint` into the file durably; a crash leaves the old one or the new one."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(checkpoint.to_json())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_witness(path: Path) -> Checkpoint | None:
    """The checkpoint in the file; None where there is no file.

    Raises:
        LedgerBroken: the file holds none.
    """
    try:
        fields = json.loads(path.read_bytes())
        return Checkpoint(
            int(fields["seq"]),
            bytes.fromhex(fields["hash"]),
            str(fields["at"]),
            base64.b64decode(fields["signature"], validate=True),
            str(fields["key_id"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerBroken(0, f"the witness {path.name} cannot be read as a checkpoint") from None


def _named(seq: int, digest: bytes, at: str, key_id: str) -> dict[str, str | int]:
    return {"seq": seq, "hash": digest.hex(), "at": at, "key_id": key_id}


def _statement(seq: int, digest: bytes, at: str, key_id: str) -> bytes:
    return _LABEL + canonical(_named(seq, digest, at, key_id))
