"""Somebody who has the whole disk of a box, and tries everything on it as a key."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import shake_256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge.sealed.recipient import Recipient, RecipientKey
from edge.sealed.sealing import CannotOpen, SealedRecord, SealSuite, open_sealed

_KEY, _SEED = 32, 64
_LEAST_VALUES = 12
"""Of 32 random bytes fewer than that many different ones come once in 10^20 keys; of a page's empty space, always."""
_TEXT_RUNS = re.compile(rb"[A-Za-z0-9+/_-]{42,}={0,2}")
_PRINTABLE = re.compile(rb"[\t\n\r -~]+")


@dataclass(frozen=True)
class Search:
    """What was tried, and as what something opened a record."""

    windows: int
    opened: list[str] = field(default_factory=list)


def search(folder: Path, records: Iterable[SealedRecord], recipients: Iterable[Recipient]) -> Search:
    """Try every 32 and 64 bytes in a row of every file, as they lie there and decoded, on every record."""
    blobs = {blob for path in files(folder) for blob in readings(path.read_bytes())}
    keys = {window for blob in blobs for window in windows(blob, _KEY)}
    seeds = {window for blob in blobs for window in windows(blob, _SEED)}
    seeds |= {shake_256(key).digest(_SEED + _KEY)[:_SEED] for key in keys}
    # Which of them are HQ's shows in the public half, which is much quicker to make than a record is to open.
    public = {recipient.mlkem for recipient in recipients}
    matching = {seed for seed in seeds if _mlkem_public(seed) in public}
    opened = [f"{how}: {record.purpose}" for record in records for how in _opened(record, keys, matching)]
    return Search(len(keys) + len(seeds), opened)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def readings(content: bytes) -> Iterator[bytes]:
    """The bytes themselves, and whatever base64 or hexadecimal text in them says."""
    yield content
    for run in _TEXT_RUNS.findall(content):
        text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        if re.fullmatch(rb"[0-9a-fA-F]+", run) and len(run) % 2 == 0:
            yield bytes.fromhex(run.decode())
        for start in range(4):
            part = text[start:]
            try:
                yield b64decode(part + b"=" * (-len(part) % 4), validate=True)
            except NotBase64:
                yield b64decode(part[: len(part) // 4 * 4])


def windows(blob: bytes, size: int) -> Iterator[bytes]:
    """Every `size` bytes in a row that could be random ones."""
    for at in range(len(blob) - size + 1):
        window = blob[at : at + size]
        if len(set(window[:_KEY])) >= _LEAST_VALUES and _PRINTABLE.fullmatch(window) is None:
            yield window


def _opened(record: SealedRecord, keys: set[bytes], seeds: set[bytes]) -> Iterator[str]:
    """How it opens: by its data key, by an X25519 key, or by any such key with one of the ML-KEM seeds that are HQ's."""
    (slot,) = record.recipients
    if any(_data_key_opens(record, key) for key in keys):
        yield "a data key"
    halves: Iterable[bytes] = seeds
    if slot.suite is SealSuite.X25519:
        halves = [b""]
    elif seeds:
        yield "a seed of HQ's ML-KEM key"
    if any(_opens(record, RecipientKey(slot.key_id, seed, key)) for seed in halves for key in keys):
        yield f"{slot.suite.name} by HPKE"


def _opens(record: SealedRecord, key: RecipientKey) -> bool:
    try:
        open_sealed(record.sealed, key=key, store=record.store, purpose=record.purpose, record=record.record)
    except CannotOpen:
        return False
    return True


def _data_key_opens(record: SealedRecord, key: bytes) -> bool:
    head = 21 + int.from_bytes(record.sealed[19:21])
    nonce, body = record.sealed[head : head + 12], record.sealed[head + 12 :]
    bound = b"threshold-sealed\x01" + b"".join(
        len(part.encode()).to_bytes(4) + part.encode() for part in (record.store, record.purpose, record.record)
    )
    try:
        AESGCM(key).decrypt(nonce, body, bound + record.sealed[:head])
    except InvalidTag:
        return False
    return True


def _mlkem_public(seed: bytes) -> bytes:
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
